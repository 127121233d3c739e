"""Teach Adaline, the first adaptive linear unit, to tell iris flowers apart.

Left: two species by two measurements; the delta rule comes to rest at the least-squares solution,
which is printed beside it. Middle: the loss over the epochs. Right: all three species, one unit
against the rest each: the middle one cannot be cut off by a straight line, and a linear unit shows
it. Writes ``plot_adaline_iris.png`` beside itself.

B. Widrow, M. E. Hoff, Adaptive switching circuits, IRE WESCON Convention Record (1960).
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from filters import AdalineClassifier

INK, COLOURS = "#1f2933", ["#3d8fd1", "#e69f00", "#c2410c"]


def train(X, y, learning_rate):
    model = AdalineClassifier(learning_rate=learning_rate, max_iter=1500, tol=None, random_state=0)
    return model.fit(X, y)


def least_squares(X, signs):
    """Intercept, weights and half the sum of squared errors of the normal equations."""
    rows = np.column_stack([np.ones(len(X)), X])
    solution = np.linalg.lstsq(rows, signs, rcond=None)[0]
    return solution, 0.5 * np.sum((signs - rows @ solution) ** 2)


def draw_regions(axes, model, X, y, names, labels):
    low, high = X.min(axis=0) - 0.5, X.max(axis=0) + 0.5
    grid = np.meshgrid(*(np.linspace(a, b, 300) for a, b in zip(low, high, strict=True)))
    decided = model.predict(np.column_stack([g.ravel() for g in grid])).reshape(grid[0].shape)
    colours = COLOURS[: len(model.classes_)]
    axes.pcolormesh(*grid, decided, cmap=ListedColormap(colours), alpha=0.2, rasterized=True)
    for label, colour in zip(model.classes_, colours, strict=True):
        axes.plot(
            *X[y == label].T, "o", color=colour, ms=4, mec="white", mew=0.4, label=names[label]
        )
    axes.set_xlabel(f"{labels[0]}, standardised")
    axes.set_ylabel(f"{labels[1]}, standardised")
    axes.legend(loc="lower right", fontsize=8)


def main():
    iris = load_iris()
    X = StandardScaler().fit_transform(iris.data[:100, [0, 3]])
    y = iris.target[:100]
    two = train(X, y, learning_rate=3e-4)
    signs = np.where(y == 1, 1.0, -1.0)
    (b, w0, w1), half_sse = least_squares(X, signs)
    ours = 0.5 * np.sum((signs - two.decision_function(X)) ** 2)
    print("setosa or versicolor from sepal length and petal width (standardised):")
    print("                         b        w0        w1   1/2 sum e^2   accuracy")
    (u0, u1), (c,) = two.coef_[0], two.intercept_
    print(
        f"  Adaline         {c:8.4f}  {u0:8.4f}  {u1:8.4f}      {ours:8.4f}       {two.score(X, y)}"
    )
    print(f"  least squares   {b:8.4f}  {w0:8.4f}  {w1:8.4f}      {half_sse:8.4f}")
    X_all = StandardScaler().fit_transform(iris.data)
    three = train(X_all[:, 2:], iris.target, learning_rate=1e-3)
    four = train(X_all, iris.target, learning_rate=1e-3)
    print("all three species, one against the rest, share of right answers on the training rows:")
    for species, name in enumerate(iris.target_names):
        rows = iris.target == species
        print(
            f"  {name:10s}   petals {three.score(X_all[rows, 2:], iris.target[rows]):.2f}   "
            f"all four measurements {four.score(X_all[rows], iris.target[rows]):.2f}"
        )

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    draw_regions(left, two, X, y, iris.target_names, ["sepal length", "petal width"])
    left.set_title("Two species", color=INK)
    middle.plot(two.loss_curve_, color=COLOURS[2], lw=1.4)
    middle.axhline(half_sse / len(X), color=INK, lw=1, ls=":", label="least squares")
    middle.set_title("Two species, epoch by epoch", color=INK)
    middle.set_ylim(0)
    middle.set_xlabel("epochs")
    middle.set_ylabel("half mean squared error")
    middle.legend(frameon=False, loc="upper right")
    draw_regions(
        right, three, X_all[:, 2:], iris.target, iris.target_names, ["petal length", "petal width"]
    )
    right.set_title("Three species, one against the rest", color=INK)
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)


if __name__ == "__main__":
    main()
