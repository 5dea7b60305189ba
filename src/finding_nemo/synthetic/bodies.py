"""How each kind of drawn animal is built, in a box of [-1, 1]; y points down."""

from __future__ import annotations

import numpy as np

from finding_nemo.synthetic.canvas import Canvas, Colour, curve

Rng = np.random.Generator


def _tinted(rng: Rng, colour: Colour, by: float = 0.08) -> Colour:
    red, green, blue = np.clip(np.array(colour) * (1 + rng.normal(0, by, 3)), 0, 1).tolist()
    return red, green, blue


def _around(n: int, turn: float = 0.0) -> list[float]:
    return [turn + 2 * np.pi * k / n for k in range(n)]


def _at(angle: float, radius: float) -> tuple[float, float]:
    return radius * float(np.cos(angle)), radius * float(np.sin(angle))


def urchin(canvas: Canvas, rng: Rng, colour: Colour, *, spines: int, length: float) -> None:
    """A ball among spines."""
    for angle in rng.uniform(0, 2 * np.pi, spines):
        tip = _at(angle, 0.45 + length * rng.uniform(0.6, 1.0))
        shade = _tinted(rng, colour, 0.15)
        canvas.tube([_at(angle, 0.2), tip], [0.045, 0.018], shade, base=0.1)
    canvas.ball((0, 0), 0.45, _tinted(rng, colour), base=0.0)
    for angle in rng.uniform(0, 2 * np.pi, spines // 3):
        root = _at(angle, rng.uniform(0, 0.3))
        tip = (root[0] * 1.9, root[1] * 1.9 - 0.12)
        canvas.tube([root, tip], [0.04, 0.018], _tinted(rng, colour, 0.2), base=0.45)


def star(canvas: Canvas, rng: Rng, colour: Colour, *, arms: int, disc: float, arm: float) -> None:
    """Tapered arms around a disc."""
    turn = rng.uniform(0, 2 * np.pi)
    for angle in _around(arms, turn):
        line = curve(rng, (0, 0), angle, rng.uniform(0.85, 1.0), bend=0.35, n=6)
        canvas.tube(line, np.linspace(arm, arm * 0.25, len(line)), _tinted(rng, colour))
    canvas.ball((0, 0), disc, _tinted(rng, colour, 0.04), base=-disc * 0.55)
    canvas.speckle(rng, 0.09)


def brittle_star(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    """Five thin, writhing arms and a small disc."""
    for angle in _around(5, rng.uniform(0, 6)):
        line = curve(rng, (0, 0), angle, 1.15, bend=1.1, n=12)
        canvas.tube(line, np.linspace(0.06, 0.02, len(line)), _tinted(rng, colour, 0.12))
    canvas.ball((0, 0), 0.17, _tinted(rng, colour))


def fish(canvas: Canvas, rng: Rng, colour: Colour, *, depth: float, tail: float, bars: int) -> None:
    """A body that tapers to a tail fin, with fins and perhaps bars."""
    bow = rng.normal(0, 0.12)
    x = np.linspace(-0.95, 0.62, 14)
    line = np.stack([x, bow * np.sin(2.2 * x)], axis=1)
    shape = np.interp(x, [-0.95, -0.75, -0.35, 0.1, 0.62], [0.35, 0.75, 1.0, 0.7, tail])
    fin = _tinted(rng, (colour[0] * 0.8, colour[1] * 0.75, colour[2] * 0.75))
    end = line[-1]
    for spread in np.linspace(-0.2, 0.2, 9) if tail > 0.1 else ():
        reach = 0.3 + 0.25 * abs(float(spread))
        tip = (end[0] + reach, end[1] + float(spread))
        canvas.tube([end, tip], [0.03, 0.045], fin, base=-0.1, opacity=0.75)
    for position in np.linspace(-0.5, 0.45, 26):
        middle = float(np.interp(position, x, line[:, 1]))
        half = depth * float(np.interp(position, x, shape))
        crest = (
            0.13 * depth / 0.3 * float(np.sin(np.pi * (position + 0.6) / 1.2)) * rng.uniform(0.8, 1)
        )
        rays = [(middle - 0.8 * half, middle - half - crest)]
        if position > 0.0:
            rays.append((middle + 0.8 * half, middle + half + 0.6 * crest))
        for root, tip_y in rays:
            canvas.tube(
                [(position, root), (position + 0.07, tip_y)], 0.03, fin, base=-0.12, opacity=0.7
            )
    canvas.tube(line, shape * depth, _tinted(rng, colour))
    for bar in range(bars):
        at = -0.5 + 0.8 * bar / max(bars - 1, 1)
        dark = (colour[0] * 0.6, colour[1] * 0.55, colour[2] * 0.55)
        y = float(np.interp(at, x, line[:, 1]))
        half = 0.7 * depth * float(np.interp(at, x, shape))
        canvas.tube([(at, y - half), (at + 0.05, y + half)], 0.06, dark, base=depth - 0.06)
    eye = (-0.74, float(line[2, 1]) - depth * 0.25)
    canvas.ball(eye, 0.06, (0.55, 0.58, 0.5), base=depth * 0.8)
    canvas.ball(eye, 0.042, (0.03, 0.03, 0.04), base=depth * 0.9)
    canvas.tube([(-0.4, depth * 0.3), (-0.16, depth * 0.5)], [0.03, 0.08], fin, base=depth * 0.5)
    canvas.speckle(rng, 0.12)


def eel(canvas: Canvas, rng: Rng, colour: Colour, *, radius: float, bend: float) -> None:
    """A long body in bends."""
    line = curve(rng, (-0.95, 0.0), 0.0, 2.0, bend=bend, n=16)
    line -= (line.max(axis=0) + line.min(axis=0)) / 2
    widths = radius * np.interp(np.linspace(0, 1, len(line)), [0, 0.1, 0.6, 1], [0.7, 1, 0.8, 0.15])
    canvas.tube(line, widths, _tinted(rng, colour))
    canvas.ball(
        (float(line[0, 0]), float(line[0, 1]) - radius * 0.3),
        0.035,
        (0.05, 0.05, 0.05),
        base=radius,
    )
    canvas.speckle(rng, 0.08)


def anemone(
    canvas: Canvas, rng: Rng, colour: Colour, *, column: float, tentacles: int, reach: float
) -> None:
    """A column with a crown of tentacles."""
    pale = _tinted(rng, (colour[0] * 0.8, colour[1] * 0.75, colour[2] * 0.72))
    top = 0.75 - column
    canvas.tube([(0, 0.8), (0, top)], [0.36, 0.27], pale)
    for angle in rng.uniform(0, 2 * np.pi, tentacles):
        root = (0.3 * np.cos(angle), top + 0.12 * np.sin(angle))
        line = curve(rng, root, angle * 0.98 - 0.2, reach * rng.uniform(0.6, 1), bend=0.7, n=5)
        line[:, 1] = top + (line[:, 1] - top) * 0.65
        shade = _tinted(rng, colour, 0.12)
        canvas.tube(line, np.linspace(0.05, 0.02, len(line)), shade, base=0.3 + 0.1 * np.sin(angle))


def cucumber(canvas: Canvas, rng: Rng, colour: Colour, *, thick: float, papillae: int) -> None:
    """A thick body with papillae along its sides and feet below."""
    line = curve(rng, (-0.85, 0.05), 0.0, 1.7, bend=0.35, n=8)
    widths = thick * np.interp(np.linspace(0, 1, len(line)), [0, 0.2, 0.8, 1], [0.6, 1, 1, 0.55])
    for _ in range(papillae):
        root = line[rng.integers(1, len(line) - 1)]
        side = rng.choice([-1.0, 1.0])
        tip = (root[0] + rng.normal(0, 0.08), root[1] + side * thick * rng.uniform(1.25, 1.9))
        canvas.tube([tuple(root), tip], [0.06, 0.025], _tinted(rng, colour, 0.12), base=-0.05)
    canvas.tube(line, widths, _tinted(rng, colour))
    canvas.speckle(rng, 0.07)


def sea_pen(canvas: Canvas, rng: Rng, colour: Colour, *, leaves: int, breadth: float) -> None:
    """A stalk that bends in the current, with leaves on both sides."""
    line = curve(rng, (0, 0.95), -np.pi / 2, 1.85, bend=0.3, n=14)
    canvas.tube(line, np.linspace(0.05, 0.03, len(line)), _tinted(rng, (0.8, 0.72, 0.6)))
    for k in range(leaves):
        at = line[4 + k * (len(line) - 5) // max(leaves, 1)]
        size = breadth * np.sin(np.pi * (0.15 + 0.8 * k / max(leaves, 1)))
        for side in (-1, 1):
            tip = (at[0] + side * size, at[1] - 0.55 * size)
            canvas.tube([tuple(at), tip], [0.05, 0.03], _tinted(rng, colour, 0.1))


def umbellula(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    """A very long stalk with a tuft of polyps at its end."""
    line = curve(rng, (0, 1.0), -np.pi / 2, 1.6, bend=0.5, n=14)
    canvas.tube(line, 0.028, (0.78, 0.74, 0.68))
    top = (float(line[-1, 0]), float(line[-1, 1]))
    for angle in rng.uniform(0, 2 * np.pi, 16):
        tentacle = curve(rng, top, angle, rng.uniform(0.2, 0.36), bend=0.8, n=4)
        canvas.tube(tentacle, [0.06, 0.05, 0.04, 0.03, 0.02], _tinted(rng, colour, 0.12))


def whip(canvas: Canvas, rng: Rng, colour: Colour, *, branches: int) -> None:
    """A branching, leafless coral."""
    for _ in range(branches):
        lean = -np.pi / 2 + rng.normal(0, 0.42)
        line = curve(rng, (0, 0.95), lean, rng.uniform(1.2, 1.9), bend=0.5, n=9)
        shade = _tinted(rng, colour, 0.1)
        canvas.tube(line, np.linspace(0.06, 0.03, len(line)), shade, base=rng.uniform(0, 0.2))
        for at in line[3::2]:
            twig = curve(rng, tuple(at), lean + rng.normal(0, 0.8), 0.4, bend=0.4, n=4)
            canvas.tube(twig, 0.03, shade)


def jelly(canvas: Canvas, rng: Rng, colour: Colour, *, tentacles: int, opacity: float) -> None:
    """A glassy bell with trailing tentacles."""
    for x in np.linspace(-0.5, 0.5, tentacles):
        line = curve(rng, (float(x), 0.0), np.pi / 2, rng.uniform(0.6, 1.1), bend=0.5, n=7)
        canvas.tube(line, np.linspace(0.025, 0.01, len(line)), colour, opacity=0.55 * opacity)
    for ring in range(9):
        y = -0.72 + 0.09 * ring
        half = 0.62 * float(np.sqrt(max(1 - ((ring - 8.4) / 9.2) ** 2, 0)))
        canvas.tube([(-half, y), (half, y)], 0.1, _tinted(rng, colour, 0.04), opacity=opacity)
    canvas.tube([(-0.6, 0.02), (0.6, 0.02)], 0.04, colour, base=0.2, opacity=min(1, opacity * 1.6))
    for angle in _around(4, 0.4):
        position = (0.22 * float(np.cos(angle)), -0.32 + 0.12 * float(np.sin(angle)))
        canvas.ball(position, 0.1, _tinted(rng, colour), base=0.15, opacity=min(1, opacity * 1.8))


def comb_jelly(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    """A glass oval with eight bright rows."""
    canvas.tube([(0, -0.45), (0, 0.45)], [0.42, 0.5], colour, opacity=0.3)
    for x in np.linspace(-0.4, 0.4, 6):
        line = [(x * np.sin(t), -0.8 + 1.6 * t / np.pi) for t in np.linspace(0.15, 3.0, 9)]
        bright = _tinted(rng, (0.85, 0.9, 0.95), 0.2)
        canvas.tube(line, 0.028, bright, base=0.5, opacity=0.8)


def siphonophore(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    """A drifting string of bells."""
    line = curve(rng, (-0.95, 0.0), 0.0, 2.1, bend=1.3, n=26)
    line -= (line.max(axis=0) + line.min(axis=0)) / 2
    canvas.tube(line, 0.016, colour, opacity=0.5)
    for k, at in enumerate(line):
        swing = (float(at[0] + rng.normal(0, 0.035)), float(at[1] + rng.uniform(0.0, 0.07)))
        bell = 0.055 if k < 9 else 0.026
        canvas.ball(swing, bell, _tinted(rng, colour, 0.04), opacity=0.38)
        if k > 8:
            thread = curve(rng, swing, np.pi / 2, rng.uniform(0.1, 0.4), bend=0.3, n=3)
            canvas.tube(thread, 0.012, colour, opacity=0.5)


def shrimp(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    """A bent, ringed body with long feelers."""
    t = np.linspace(0, 1, 9)
    line = np.stack([-0.55 + 1.1 * t, -0.18 * np.sin(np.pi * t) + 0.42 * t**2.4], axis=1)
    for side in (-0.4, -0.15, 0.15):
        feeler = curve(rng, (-0.55, -0.02), np.pi + side, 0.75, bend=0.5, n=7)
        canvas.tube(feeler, 0.014, _tinted(rng, colour, 0.1))
    for k in range(1, 7):
        foot = (line[k, 0] - 0.1, line[k, 1] + 0.36)
        canvas.tube([tuple(line[k]), foot], [0.04, 0.015], _tinted(rng, colour, 0.1), base=-0.1)
    canvas.tube(line, np.linspace(0.17, 0.07, 9), _tinted(rng, colour))
    for spread in (-0.12, 0.0, 0.12):
        end = line[-1]
        canvas.tube([tuple(end), (end[0] + 0.2, end[1] + 0.14 + spread)], 0.045, colour)
    canvas.ball((-0.52, -0.09), 0.045, (0.05, 0.03, 0.03), base=0.15)


def crab(canvas: Canvas, rng: Rng, colour: Colour, *, legs: float, claws: float) -> None:
    """A round shell, eight bent legs and two claws."""
    for side in (-1, 1):
        for k in range(4):
            out = side * (0.62 + 0.12 * np.sin(k)) * legs
            knee, foot = (out, -0.28 + 0.22 * k), (out * 1.45, 0.1 + 0.22 * k)
            shade = _tinted(rng, colour, 0.1)
            canvas.tube([(0, 0.05 * k), knee, foot], [0.08, 0.06, 0.025], shade, base=-0.05)
        elbow, hand = (side * 0.45, -0.45 * claws), (side * 0.3, -0.88 * claws)
        canvas.tube([(side * 0.2, -0.1), elbow, hand], [0.08, 0.07, 0.1], _tinted(rng, colour))
    canvas.tube([(0, -0.1), (0, 0.22)], [0.3, 0.36], _tinted(rng, colour))
    canvas.speckle(rng, 0.1)


def sponge(canvas: Canvas, rng: Rng, colour: Colour, *, tubes: int) -> None:
    """Pale, open vases."""
    for _ in range(tubes):
        foot = (rng.normal(0, 0.2), 0.8)
        rim = (foot[0] + rng.normal(0, 0.3), rng.uniform(-0.7, 0.1))
        width = rng.uniform(0.18, 0.32)
        canvas.tube([foot, rim], [width * 0.6, width], _tinted(rng, colour))
        dark = (colour[0] * 0.45, colour[1] * 0.45, colour[2] * 0.42)
        canvas.ball(rim, width * 0.62, dark, base=width * 0.9)
    canvas.speckle(rng, 0.12)
