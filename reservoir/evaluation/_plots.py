"""The report's figures: SVG text that takes the colour of the page it stands in."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from ._kinds import Arrays
from ._specs import Task
from ._statistics import RankTest
from ._summary import Cell

_INK = "#010203"  # becomes the text colour of the page
_WIDTH = 5.0  # inches: readable unscaled on a desktop and at three quarters on a phone
_COLOURS = ("#8a8a8a", "#3d8fd1", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#9467bd", "#5fb8d6")
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "*")
_STYLE = {
    "font.size": 9,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "reservoir",
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _INK,
    "grid.alpha": 0.15,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "path.simplify": True,
}
# Candidate places of a label around its point, in points.
_PLACES = [(6, 4), (6, -10), (-6, 4), (-6, -10), (0, 8), (0, -15), (8, 14), (8, -20), (-8, 14)]
_PLACES += [(-8, -20), (0, 18), (0, -26), (12, 24), (-12, 24)]


class Palette:
    """A colour and a marker for each model, the same in every figure."""

    def __init__(self, names: Sequence[str]) -> None:
        self._places = {name: i for i, name in enumerate(names)}

    def colour(self, name: str) -> str:
        """The model's colour, readable on white and on black."""
        return _COLOURS[self._places[name] % len(_COLOURS)]

    def marker(self, name: str) -> str:
        """The model's marker."""
        turns, place = divmod(self._places[name], len(_MARKERS))
        return _MARKERS[(place + turns) % len(_MARKERS)]  # no pair of both comes twice


def draw(height: float, paint: Callable[[Figure], None], label: str) -> str:
    """Make a figure of the common width and return it as SVG text to stand in a page.

    Parameters
    ----------
    height : float
        Inches.
    paint : callable
        Takes the empty figure.
    label : str
        What a reader who cannot see it is told.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure)
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r' d="[^"]+"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns:(cc|dc|rdf)="[^"]*"', "", svg)
    svg = re.sub(r"font: ([0-9.]+)px [^;\"]*", r"font: \1px sans-serif", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def ink() -> str:
    """The colour that becomes the page's text colour."""
    return _INK


def cost_figure(
    points: Mapping[str, tuple[float, float, float, float]],
    titles: Mapping[str, str],
    palette: Palette,
    label: str,
    *,
    seconds: str = "seconds to fit (median)",
    log: bool = False,
    invert: bool = False,
) -> str:
    """Accuracy against seconds to fit.

    Parameters
    ----------
    points : dict of (seconds, value, low, high)
        By model.
    titles : dict of str
    palette : Palette
    label, seconds : str
        Of the axes.
    log, invert : bool
        Of the value axis.
    """

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for name, (x, value, low, high) in points.items():
            colour = palette.colour(name)
            axes.plot([x, x], [low, high], color=colour, linewidth=3, alpha=0.35)
            axes.plot(x, value, palette.marker(name), color=colour, markersize=7)
        axes.set_xscale("log")
        axes.set_yscale("log" if log else "linear")
        axes.margins(0.12, 0.15)
        if invert:
            axes.invert_yaxis()
        number_log_axis(axes.xaxis)
        axes.set(xlabel=seconds, ylabel=label)
        _label_points(figure, axes, [(titles[n], p[0], p[1]) for n, p in points.items()])

    return draw(3.3, paint, f"{label}, against {seconds}")


def number_log_axis(axis: Axis) -> None:
    """Numbers on a logarithmic axis however little it spans, and not too many."""
    low, high = axis.get_view_interval()
    decades = np.floor(np.log10(high)) - np.ceil(np.log10(low)) + 1
    axis.set_minor_formatter(NullFormatter())
    if decades >= 2:
        axis.set_major_locator(LogLocator(10.0, numticks=12))
        return
    axis.set_major_locator(LogLocator(10.0, (1, 2, 5)) if high > 4 * low else MaxNLocator(4))
    axis.set_major_formatter("{x:g}")


def speed_figure(cells: list[Cell], palette: Palette) -> str:
    """Rates of every library, fastest first."""
    order = sorted(cells, key=lambda cell: cell.value)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for i, cell in enumerate(order):
            colour = palette.colour(cell.model.name)
            axes.plot([cell.low, cell.high], [i, i], color=colour, linewidth=3, alpha=0.35)
            axes.plot(cell.value, i, palette.marker(cell.model.name), color=colour, markersize=7)
        axes.set_yticks(range(len(order)), [cell.model.title for cell in order])
        axes.set(xscale="log", xlabel=order[0].task.metric.label, ylim=(-0.6, len(order) - 0.4))
        axes.margins(x=0.12)

    return draw(0.7 + 0.36 * len(order), paint, f"{order[0].task.title}: rows a second")


def rank_figure(test: RankTest, titles: Mapping[str, str], palette: Palette) -> str:
    """Mean ranks on a line; a bar joins those that are not told apart."""
    order = sorted(test.ranks, key=test.ranks.__getitem__)
    groups = test.groups()
    half = (len(order) + 1) // 2

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set(xlim=(0.4, len(order) + 0.6), ylim=(-half - 0.6 - 0.45 * len(groups), 1.9))
        axes.plot([1, len(order)], [0, 0], color=_INK, linewidth=0.8)
        for rank in range(1, len(order) + 1):
            axes.plot([rank, rank], [0, 0.15], color=_INK, linewidth=0.8)
            axes.text(rank, 0.3, str(rank), ha="center", va="bottom", fontsize=8)
        span = min(test.difference, len(order) - 1)
        axes.plot([1, 1 + span], [1.3, 1.3], color=_INK, linewidth=1.5)
        axes.text(1 + span / 2, 1.4, f"critical difference {test.difference:.2f}", ha="center",
                  va="bottom", fontsize=8)  # fmt: skip
        for k, group in enumerate(groups, start=1):
            ends = [test.ranks[group[0]] - 0.06, test.ranks[group[-1]] + 0.06]
            axes.plot(ends, [-0.45 * k] * 2, color=_INK, alpha=0.5, linewidth=4)
        for i, name in enumerate(order):
            place, left = test.ranks[name], i < half
            level = -0.45 * len(groups) - 0.7 - (i if left else len(order) - 1 - i)
            x = 0.5 if left else len(order) + 0.5
            axes.plot([place, place, x], [0, level, level], color=palette.colour(name))
            axes.text(x, level + 0.08, f"{titles[name]} {place:.2f}", fontsize=8,
                      ha="left" if left else "right", va="bottom")  # fmt: skip

    return draw(0.9 + 0.3 * (half + len(groups)), paint, "mean ranks and critical difference")


def _label_points(figure: Figure, axes: Any, points: list[tuple[str, float, float]]) -> None:
    """Write each name beside its point, where it covers neither a point nor another name."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    at = [axes.transData.transform((x, y)) for _, x, y in points]
    taken: list[Any] = []
    for (name, x, y), _ in zip(points, at, strict=True):
        best: tuple[float, Any] | None = None
        for dx, dy in _PLACES:
            text = axes.annotate(
                name,
                (x, y),
                (dx, dy),
                textcoords="offset points",
                ha="left" if dx > 0 else "right" if dx < 0 else "center",
            )
            box = text.get_window_extent(renderer)
            cost = sum(box.overlaps(other) for other in taken)
            cost += sum(box.padded(7).contains(*point) for point in at)
            inside = axes.get_window_extent(renderer)
            cost += 2 * (box.x0 < inside.x0 or box.x1 > inside.x1 + 20 or box.y0 < inside.y0)
            if best is None or cost < best[0]:
                if best is not None:
                    best[1].remove()
                best = (cost, text)
            else:
                text.remove()
            if best[0] == 0:
                break
        assert best is not None
        taken.append(best[1].get_window_extent(renderer))


def trace_figure(task: Task, cells: list[Cell], arrays: Mapping[str, Arrays], palette: Any) -> str:
    """Each model's answer over the truth, one below the other on the same axes."""

    def paint(figure: Figure) -> None:
        panels = figure.subplots(len(arrays), sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (name, found) in zip(panels, arrays.items(), strict=True):
            colour = palette.colour(name)
            if "before" in found:
                axes.plot(found["time"], found["before"], color=_INK, alpha=0.25, linewidth=0.7)
            axes.plot(found["time"], found["truth"], color=_INK, alpha=0.55, linewidth=1.6)
            answer = found["after"] if "after" in found else found["prediction"]
            axes.plot(found["time"], answer, color=colour)
            _title(axes, name, cells, colour)
        _limit(panels[0], [found["truth"] for found in arrays.values()])
        panels[-1].set_xlabel(task.labels[0])
        figure.supylabel(task.labels[1], fontsize=9)

    return draw(0.5 + 0.85 * len(arrays), paint, f"{task.title}: answers over the truth")


def spectrum_figure(
    task: Task, cells: list[Cell], arrays: Mapping[str, Arrays], palette: Palette
) -> str:
    """Power spectra before and after cancelling, one model below the other."""

    def paint(figure: Figure) -> None:
        panels = figure.subplots(len(arrays), sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (name, found) in zip(panels, arrays.items(), strict=True):
            colour, hertz = palette.colour(name), found["frequency"]
            axes.semilogy(hertz, found["psd_before"], color=_INK, alpha=0.3, linewidth=0.9)
            axes.semilogy(hertz, found["psd_truth"], color=_INK, alpha=0.75, linewidth=0.9)
            axes.semilogy(hertz, found["psd_after"], color=colour)
            _title(axes, name, cells, colour)
        panels[-1].set_xlabel("frequency (Hz)")
        figure.supylabel("power density (mV²/Hz)", fontsize=9)

    return draw(0.5 + 0.85 * len(arrays), paint, f"{task.title}: spectra before and after")


def growth_figure(
    task: Task, arrays: Mapping[str, Arrays], titles: Mapping[str, str], palette: Palette
) -> str:
    """How the error of free runs grows, median over origins."""

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for name, found in arrays.items():
            error = np.maximum(np.median(found["error"], axis=0), 1e-12)
            axes.semilogy(found["time"], error, color=palette.colour(name), label=titles[name])
        axes.axhline(1.0, color=_INK, linewidth=0.8, linestyle=":")
        axes.set(xlabel=task.labels[0], ylabel="error / standard deviation, median")
        figure.legend(loc="outside upper left", ncols=4, fontsize=9, columnspacing=1.2)

    return draw(3.3, paint, f"{task.title}: growth of the error")


def recall_figure(
    task: Task, arrays: Mapping[str, Arrays], titles: Mapping[str, str], palette: Palette
) -> str:
    """Share of each class found, a row a model."""

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        shares = np.stack([found["recall"] for found in arrays.values()])
        image = axes.imshow(shares, vmin=0.5, vmax=1.0, cmap="cividis", aspect="auto")
        labels = next(iter(arrays.values()))["labels"]
        axes.set_xticks(range(labels.size), labels)
        axes.set_yticks(range(len(arrays)), [titles[name] for name in arrays])
        axes.grid(False)
        axes.set_xlabel(task.labels[0])
        for (i, j), share in np.ndenumerate(shares):
            ink = "#000000" if share > 0.78 else "#ffffff"
            axes.text(j, i, f"{100 * share:.0f}", ha="center", va="center", color=ink, fontsize=8)
        del image

    return draw(0.9 + 0.42 * len(arrays), paint, f"{task.title}: share of each class found")


def _title(axes: Any, name: str, cells: list[Cell], colour: str) -> None:
    cell = next(cell for cell in cells if cell.model.name == name)
    axes.set_title(cell.model.title, loc="left", fontsize=9, color=colour, pad=2, fontweight="bold")


def _limit(axes: Any, truths: Sequence[np.ndarray]) -> None:
    """Frame the truth, so that an answer that ran away does not flatten the others."""
    low, high = min(t.min() for t in truths), max(t.max() for t in truths)
    margin = 0.3 * (high - low)
    axes.set_ylim(low - margin, high + margin)
