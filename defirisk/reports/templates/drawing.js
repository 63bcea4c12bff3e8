// Where the nodes of a picture lie on the screen, what they look like, and where names have room.
const drawing = (function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  // Each of about the area of a circle of radius 1.
  // Each of about the area of a circle of radius 1.
  const shapes = [
    "M-.9-.9H.9V.9H-.9Z",
    "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
    "M0-1.25L1.25 0L0 1.25L-1.25 0Z",
    "M0-1.25L1.2.85H-1.2Z",
    "M.55-.95L1.1 0L.55.95H-.55L-1.1 0L-.55-.95Z",
    "M0 1.25L-1.2-.85H1.2Z",
    "M.8 0A.8.8 0 1 1-.8 0A.8.8 0 1 1 .8 0Z",
  ];
  const EDGE = 26; // pixels that stay free around the picture
  const GAP = 3;
  const STEPS = 40;
  const LONGEST = 22;

  function made(tag, attributes, parent) {
    const one = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    if (parent) parent.append(one);
    return one;
  }

  // Gives every dot its place and radius in pixels: half by its place among the others and half by
  // its rank, so that a crowd gets more room than what is far away.
  function place(dots, width, height) {
    const [across, down] = [spread(dots, "x", width), spread(dots, "y", height)];
    for (const dot of dots) {
      [dot.left, dot.top] = [across(dot.x), down(dot.y)];
      dot.r = dot.radius * (width < 520 ? 0.75 : 1);
    }
    for (let step = 0; step < STEPS; step += 1) if (!pushApart(dots, width, height)) break;
  }

  function spread(dots, axis, length) {
    const at = dots.map((dot) => dot[axis]).sort((one, other) => one - other);
    const room = at[at.length - 1] - at[0];
    const rank = new Map(at.map((value, number) => [value, number / (at.length - 1)]));
    return (value) => {
      if (!(room > 1e-6)) return length / 2;
      const part = (value - at[0]) / room / 2 + rank.get(value) / 2;
      return EDGE + part * (length - 2 * EDGE);
    };
  }

  // Nodes that overlap move away from each other, always in the same way.
  function pushApart(dots, width, height) {
    let moved = false;
    const within = (value, length) => Math.min(Math.max(value, EDGE / 2), length - EDGE / 2);
    const order = [...dots].sort((one, other) => one.left - other.left);
    order.forEach((one, number) => {
      for (let next = number + 1; next < order.length; next += 1) {
        const other = order[next];
        if (other.left - one.left > 30) break;
        const apart = one.r + other.r + GAP;
        let [dx, dy] = [other.left - one.left, other.top - one.top];
        if (dx === 0 && dy === 0) [dx, dy] = [Math.cos(next), Math.sin(next)];
        const far = Math.hypot(dx, dy);
        if (far >= apart) continue;
        const push = (apart - far) / far / 2;
        moved = true;
        for (const [dot, sign] of [[one, -push], [other, push]]) {
          dot.left = within(dot.left + sign * dx, width);
          dot.top = within(dot.top + sign * dy, height);
        }
      }
    });
    return moved;
  }

  // The arrowhead of a line: where it leads to.
  function tip({ source, target }, state) {
    const [x, y] = [target.left - source.left, target.top - source.top];
    const part = 1 - (target.r + 2) / Math.hypot(x, y);
    const turn = (Math.atan2(y, x) * 180) / Math.PI;
    const at = `${(source.left + x * part).toFixed(1)} ${(source.top + y * part).toFixed(1)}`;
    const transform = `translate(${at}) rotate(${turn.toFixed(1)})`;
    return made("path", { class: `tip${state}`, d: part > 0 ? "M0 0L-7 3.2V-3.2Z" : "", transform });
  }

  // The names of these, the first ones first, where there is room beside them and between what is
  // not to be covered; `chosen` has its name in any case.
  function label(svg, dots, chosen, uncovered, { width, height }) {
    const taken = uncovered.map((dot) => box(dot.left, dot.top, 2 * dot.r, 2 * dot.r));
    const names = made("g", { class: "names", "aria-hidden": true }, svg);
    for (const dot of dots) {
      const name = made("text", { class: dot === chosen ? "is-chosen" : "" }, names);
      name.textContent =
        dot.label.length > LONGEST ? `${dot.label.slice(0, LONGEST - 1)}…` : dot.label;
      const long = name.getComputedTextLength();
      const away = dot.r + 6 + long / 2;
      const free = [[away, 0], [-away, 0], [0, -dot.r - 9], [0, dot.r + 9]]
        .map(([dx, dy]) => box(dot.left + dx, dot.top + dy, long, 13))
        .find((one) => inside(one, width, height) && !taken.some((other) => meet(one, other)));
      if (!free && dot !== chosen) {
        name.remove();
        continue;
      }
      const middle = Math.min(Math.max(dot.left, long / 2), width - long / 2);
      const at = free || box(middle, Math.max(dot.top - 18, 8), long, 13);
      taken.push(at);
      name.setAttribute("x", (at.left + at.right) / 2);
      name.setAttribute("y", (at.top + at.bottom) / 2 + 4);
    }
  }

  const box = (x, y, wide, high) => ({
    left: x - wide / 2,
    right: x + wide / 2,
    top: y - high / 2,
    bottom: y + high / 2,
  });
  const inside = ({ left, right, top, bottom }, width, height) =>
    left >= 0 && right <= width && top >= 0 && bottom <= height;
  const meet = (one, other) =>
    one.left < other.right &&
    other.left < one.right &&
    one.top < other.bottom &&
    other.top < one.bottom;

  return { made, shapes, place, tip, label };
})();
