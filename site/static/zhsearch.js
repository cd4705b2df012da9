// Splits a Chinese query into the words of the index.
//
// The index is made with a segmenter (jieba); a browser has none, and Sphinx splits queries at
// spaces only, so that a phrase would find nothing. The index knows its own words, though: the
// query is cut into the longest of them, from left to right. Every character of the pages is a word
// of the index too; one that it does not have is on no page and says nothing.
//
// Sphinx looks for a global function of this name before it defines its own.
// eslint-disable-next-line no-unused-vars
var splitQuery = (() => {
  const CHINESE = /\p{Script=Han}/u;
  const RUNS = /\p{Script=Han}+|[^\p{Script=Han}]+/gu;
  const BREAKS = /[^\p{Letter}\p{Number}_\p{Emoji_Presentation}]+/gu;
  const LONGEST = 8; // characters in a word

  const isWord = (word) => {
    const { terms = {}, titleterms = {} } = Search._index || {};
    return Object.hasOwn(terms, word) || Object.hasOwn(titleterms, word);
  };

  const cut = (run) => {
    const words = [];
    for (let start = 0; start < run.length; ) {
      let length = Math.min(LONGEST, run.length - start);
      while (length > 1 && !isWord(run.substr(start, length))) length -= 1;
      if (isWord(run.substr(start, length))) words.push(run.substr(start, length));
      start += length;
    }
    return words.length ? words : [run];
  };

  return (query) =>
    query
      .split(BREAKS)
      .flatMap((part) => part.match(RUNS) || [])
      .flatMap((run) => (CHINESE.test(run) ? cut(run) : [run]));
})();
