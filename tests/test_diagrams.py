"""Data-flow diagrams: shapes of real arrays, boxes that do not overlap, words for all of it."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import numpy as np
import pytest
import torch

from attention_course import language, plots
from attention_course.diagram import PHONE

ATTENTION = (
    {name: torch.zeros(4, 3) for name in ("x", "Q", "K", "V", "output")}
    | {name: torch.zeros(4, 4, dtype=torch.bfloat16) for name in ("scores", "mask", "weights")},
    [
        *(("x", "Q"), ("x", "K"), ("x", "V"), ("Q", "scores"), ("K", "scores")),
        *(("scores", "weights", "softmax"), ("mask", "weights")),
        *(("weights", "output"), ("V", "output")),
    ],
    {"optional": ["mask"]},
)
HEADS = (
    {name: np.zeros((1, 4, 8)) for name in ("x", "Q", "K", "V", "joined", "output")}
    | {f"heads of {name}": np.zeros((1, 2, 4, 4)) for name in "QKV"}
    | {"mask": np.zeros((1, 1, 4, 4)), "weights": np.zeros((1, 2, 4, 4))},
    [
        *(end for name in "QKV" for end in (("x", name, f"W{name}"), (name, f"heads of {name}"))),
        *(("heads of Q", "weights"), ("heads of K", "weights"), ("mask", "weights")),
        *(("weights", "joined"), ("heads of V", "joined"), ("joined", "output", "Wo")),
    ],
    {"optional": ["mask"]},
)
STACKS = (
    {
        "source": np.zeros((1, 5)),
        "target": np.zeros((1, 4)),
        "source embeddings": np.zeros((1, 5, 8)),
    }
    | {
        "target embeddings": np.zeros((1, 4, 8)),
        "encoder": None,
        "hidden states": np.zeros((1, 5, 8)),
    }
    | {"masked self-attention": None, "cross-attention": None, "logits": np.zeros((1, 4, 30))},
    [
        *(("source", "source embeddings"), ("source embeddings", "encoder")),
        *(("encoder", "hidden states"), ("target", "target embeddings")),
        *(("target embeddings", "masked self-attention"), ("cross-attention", "logits")),
        ("masked self-attention", "cross-attention", "query"),
        ("hidden states", "cross-attention", "key, value"),
    ],
    {},
)
DIAGRAMS = {"attention": ATTENTION, "heads": HEADS, "stacks": STACKS}


def drawn(boxes, arrows, options):
    diagram = plots.data_flow(boxes, arrows, **options)
    return diagram, ElementTree.fromstring(diagram.drawing)


def boxes_of(svg):
    """The rectangle of each box by its name."""
    names = [
        " ".join(line.text for line in text if line.get("class") != "ac-shape")
        for text in svg.iter("text")
    ]
    sides = [
        [float(box.get(side)) for side in ("x", "y", "width", "height")] for box in svg.iter("rect")
    ]
    return dict(zip(names, sides, strict=False))  # words on arrows come after those in boxes


@pytest.mark.parametrize("name", DIAGRAMS)
def test_every_box_has_its_place_on_a_phone(name):
    _, svg = drawn(*DIAGRAMS[name])
    assert float(svg.get("width")) <= PHONE * 1.08
    boxes = boxes_of(svg)
    assert len(boxes) == len(DIAGRAMS[name][0])
    for (a, first), (b, second) in combinations(boxes.items(), 2):
        apart = [
            first[i] + first[i + 2] <= second[i] + 0.1
            or second[i] + second[i + 2] <= first[i] + 0.1
            for i in (0, 1)
        ]
        assert any(apart), f"{a} and {b} overlap"
    left, top, width, height = map(float, svg.get("viewBox").split())
    for x, y, w, h in boxes.values():
        assert left <= x < x + w <= left + width + 1
        assert top <= y < y + h <= top + height + 1


@pytest.mark.parametrize("name", DIAGRAMS)
def test_arrows_run_down_and_the_drawing_is_light(name):
    boxes, arrows, options = DIAGRAMS[name]
    _, svg = drawn(boxes, arrows, options)
    places = boxes_of(svg)
    for start, end, *_ in arrows:
        if start not in options.get("optional", ()):
            assert places[start][1] + places[start][3] < places[end][1], (start, end)
    heads = svg.findall("path")[-1].get("d")
    assert heads.count("M") == len(arrows)
    assert len(svg.findall("path")) <= 3


def test_shapes_are_those_of_the_arrays():
    diagram, svg = drawn(*ATTENTION)
    texts = ["".join(text.itertext()).replace("\u202f", " ") for text in svg.iter("text")]
    assert {"x4 × 3", "weights4 × 4", "softmax"} <= set(texts)
    for said in ("x (4 × 3)", "mask (4 × 4, optional)", "x to Q, K, V", "weights (softmax)"):
        assert said in diagram.alt.replace("\u202f", " ")
    assert [box.get("stroke-dasharray") for box in svg.iter("rect")].count("4 3") == 1
    assert "currentColor" in diagram.drawing
    other, _ = drawn({"n": 3, "half": np.float64(0.5), "text": "as given"}, [("n", "half")], {})
    assert "n (3), half (0.5), text (as given)" in other.alt


def test_the_mask_stands_beside_what_it_is_for():
    boxes = boxes_of(drawn(*ATTENTION)[1])
    assert boxes["mask"][1] == boxes["weights"][1]
    assert boxes["mask"][0] < boxes["weights"][0] < boxes["V"][0]


def test_encoder_stands_left_of_decoder():
    boxes = boxes_of(drawn(*STACKS)[1])
    assert boxes["hidden states"][0] < boxes["masked self-attention"][0]
    assert boxes["target"][1] > boxes["source"][1]  # no arrow is longer than it must be


def test_chinese_diagrams_speak_chinese(monkeypatch):
    entries = {"boxes": {"x": "输入", "y": "输出"}, "arrows": {"f": "变换"}, "title": "一步"}
    real = language._words_of
    monkeypatch.setattr(
        language, "_words_of", lambda name, code: entries if name == "lesson" else real(name, code)
    )
    monkeypatch.setattr(language, "words_file", lambda name, code: (name, f"{code}.toml"))
    language.use("zh")
    try:
        diagram = plots.data_flow(
            {"x": np.zeros(2), "y": np.zeros(2)}, [("x", "y", "f")], key="lesson"
        )
    finally:
        language.use("en")
    assert diagram.alt == "数据流图“一步”：输入（2）、输出（2）。箭头：输入到输出（变换）。"
    assert re.findall(r">([^<]+)</tspan>", diagram.html()) == ["输入", "2", "输出", "2", "变换"]


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(ValueError, match="boxes: got none, expected at least one"):
        plots.data_flow({}, [])
    with pytest.raises(ValueError, match="arrows: got 'y', expected one of x"):
        plots.data_flow({"x": None}, [("x", "y")])
    with pytest.raises(ValueError, match="arrows: got a circle among x, y, expected one direction"):
        plots.data_flow({"x": None, "y": None}, [("x", "y"), ("y", "x")])
    escaped = plots.data_flow({"<b>": "a & b"}, []).html()
    assert "<b>" not in escaped
