// Draws every picture of nodes as SVG: filtered by kind, name and dollars, and explained on a click.
// Colours come from the style sheet; every name is set as text, since strangers chose it.
(function () {
  "use strict";
  const { made, shapes, place, tip, label } = drawing;
  const POINTED = 80; // with more lines than these their ends are only pointed where one is chosen
  const CROWD = 1000; // lines that are only a haze
  const LISTED = 24;
  const LARGEST = 12;
  const REACH = 24; // pixels beside a node that still mean it: a finger is wide

  function element(tag, text, ...children) {
    const one = Object.assign(document.createElement(tag), { textContent: text });
    one.append(...children);
    return one;
  }

  const byDollars = (one, other) => (other.usd ?? -1) - (one.usd ?? -1);
  const many = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

  function start(figure, { kinds, marks, dots, lines: said }) {
    const mark = (kind) => `mark-${marks[kind]}`;
    const shape = (kind) => shapes[marks[kind]];
    const form = figure.querySelector("form");
    const svg = figure.querySelector(".drawing");
    const panel = figure.querySelector(".chosen");
    const counted = figure.querySelector(".counted");
    const lines = said.map(([source, target, kind, usd, amount]) => {
      const line = { source: dots[source], target: dots[target], kind, usd, amount };
      line.other = (dot) => (dot === line.source ? line.target : line.source);
      return line;
    });
    for (const dot of dots) {
      dot.lines = lines.filter((line) => line.source === dot || line.target === dot).sort(byDollars);
      dot.words = `${dot.label} ${dot.id}`.toLowerCase();
    }
    let shown = [];
    let chosen = null;
    let current = null; // where the arrow keys are

    // --- what is shown

    function wanted() {
      const asked = new FormData(form);
      const least = Number(asked.get("least"));
      const text = asked.get("text").trim().toLowerCase();
      const on = new Set(asked.getAll("kind").map(Number));
      const enough = (one) => least === 0 || (one.usd ?? 0) >= least;
      const passes = (dot) => on.has(dot.kind) && enough(dot);
      const main = dots.filter(
        (dot) =>
          passes(dot) &&
          (text ? dot.words.includes(text) : !dot.minor || asked.has("minor")) &&
          (dot.marked || !asked.has("marked")),
      );
      if (chosen && !passes(chosen)) chosen = null;
      const near = chosen ? chosen.lines.filter(enough).map((line) => line.other(chosen)) : [];
      const tied = near.filter((dot) => passes(dot) && !dot.minor);
      return { main, dots: [...new Set(chosen ? [...main, chosen, ...tied] : main)], enough };
    }

    function update() {
      const { main, dots: found, enough } = wanted();
      shown = found;
      const visible = new Set(shown);
      const tied = lines.filter(
        (line) => visible.has(line.source) && visible.has(line.target) && enough(line),
      );
      const { width, height } = size();
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.style.height = `${height}px`;
      panel.style.setProperty("--tall", `${height}px`);
      place(shown, width, height);
      const near = new Set(
        chosen ? [chosen, ...tied.filter(ends).map((line) => line.other(chosen))] : shown,
      );
      if (!visible.has(current)) current = chosen || shown[0] || null;
      draw(tied, near);
      counted.textContent = shown.length
        ? `${many(shown.length, "node")} and ${many(tied.length, "line")} of ` +
          `${many(dots.length, "node")} and ${many(lines.length, "line")} are shown.`
        : "No node is like that.";
      if (chosen) explain(chosen);
      else list(main);
    }

    const ends = (line) => line.source === chosen || line.target === chosen;

    // --- where it is shown

    function size() {
      const width = Math.max(svg.clientWidth, 240);
      // A few nodes need no more than half the height of a crowd.
      const full = Math.min(1, 0.5 + dots.filter((dot) => !dot.minor).length / 120);
      return { width, height: Math.round(width * full * (width < 520 ? 1.2 : 0.78)) };
    }

    // --- how it is shown

    function draw(tied, near) {
      const focused = svg.contains(document.activeElement);
      svg.replaceChildren();
      svg.classList.toggle("crowded", tied.length > CROWD);
      const under = made("g", {}, svg);
      for (const line of tied) {
        const state = !chosen ? "" : ends(line) ? " tied" : " dim";
        made("line", {
          class: `line${state}`,
          x1: line.source.left,
          y1: line.source.top,
          x2: line.target.left,
          y2: line.target.top,
          "stroke-width": line.usd > 1 ? Math.max(0.7, Math.log10(line.usd) / 3) : 0.7,
        }, under);
        if (chosen ? ends(line) : tied.length <= POINTED) under.append(tip(line, state));
      }
      for (const dot of shown) {
        const state = dot === chosen ? " is-chosen" : near.has(dot) ? "" : " dim";
        const group = made("g", {
          class: `dot ${mark(dot.kind)}${dot.marked ? " marked" : ""}${state}`,
          transform: `translate(${dot.left.toFixed(1)} ${dot.top.toFixed(1)})`,
          role: "button",
          tabindex: dot === current ? 0 : -1,
          "aria-pressed": dot === chosen,
          "aria-label": `${dot.label}, ${kinds[dot.kind]}, ${dot.amount}`,
        }, svg);
        if (dot.marked || dot === chosen) made("circle", { class: "ring", r: dot.r + 3 }, group);
        made("path", { d: shape(dot.kind), transform: `scale(${dot.r})` }, group);
        made("title", {}, group).textContent = `${dot.label}: ${kinds[dot.kind]}, ${dot.amount}`;
        dot.group = group;
      }
      const named = shown.filter((dot) => near.has(dot)).sort(byDollars);
      if (chosen) named.sort((one, other) => (other === chosen) - (one === chosen));
      label(svg, named.slice(0, chosen ? 60 : 40), chosen, named, size());
      if (focused && current) current.group.focus({ preventScroll: true });
    }

    // --- what is said of it

    function swatch(kind) {
      const picture = made("svg", { class: `swatch ${mark(kind)}`, viewBox: "-8 -8 16 16", "aria-hidden": true });
      made("path", { d: shape(kind), transform: "scale(6)" }, picture);
      return picture;
    }

    function entry(dot, amount, before) {
      const button = element("button", "", swatch(dot.kind));
      button.type = "button";
      if (before) button.append(element("small", `${before} `));
      button.append(element("span", dot.label));
      button.addEventListener("click", () => {
        choose(dot);
        panel.querySelector(".back").focus({ preventScroll: true });
      });
      return element("li", "", button, element("span", amount));
    }

    function list(main) {
      const largest = [...main].sort(byDollars).slice(0, LARGEST);
      const entries = largest.map((dot) => entry(dot, dot.amount));
      panel.replaceChildren(
        element("h3", largest.length ? "The largest of these" : ""),
        element("ul", "", ...entries),
      );
    }

    function explain(dot) {
      const back = element("button", "Let go");
      back.type = "button";
      back.className = "back";
      back.addEventListener("click", () => {
        choose(null);
        if (current) current.group.focus({ preventScroll: true });
      });
      const facts = [["kind", kinds[dot.kind]], ["dollars", dot.amount], ...dot.facts];
      const terms = facts.flatMap(([what, value]) => [element("dt", what), element("dd", value)]);
      const ties = dot.lines.slice(0, LISTED).map((line) =>
        entry(line.other(dot), `${line.kind} ${line.amount}`, line.source === dot ? "to" : "from"),
      );
      const rest = dot.ties - ties.length;
      panel.replaceChildren(
        element("h3", "", swatch(dot.kind), element("span", dot.label), back),
        element("dl", "", ...terms),
        element("h4", dot.ties === 1 ? "Its edge" : `Its ${dot.ties.toLocaleString("en")} edges`),
        element("ul", "", ...ties),
        ...(rest > 0 ? [element("p", `${many(rest, "smaller one")} in the JSON.`)] : []),
        element("code", dot.id),
      );
    }

    // --- what the reader does

    function choose(dot) {
      chosen = dot;
      if (dot) current = dot;
      update();
      panel.scrollTop = 0;
    }

    function nearest(event) {
      const { left, top } = svg.getBoundingClientRect();
      const far = (dot) => Math.hypot(dot.left - event.clientX + left, dot.top - event.clientY + top);
      const found = [...shown].sort((one, other) => far(one) - far(other))[0];
      return found && far(found) <= REACH ? found : null;
    }

    svg.addEventListener("click", (event) => {
      const found = nearest(event);
      choose(found === chosen ? null : found);
    });

    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    svg.addEventListener("keydown", (event) => {
      if (!current) return;
      if (event.key in ARROWS) step(...ARROWS[event.key]);
      else if (event.key === "Enter" || event.key === " ") choose(current === chosen ? null : current);
      else if (event.key === "Escape") choose(null);
      else return;
      event.preventDefault();
    });

    svg.parentElement.addEventListener("focusin", (event) => {
      current = shown.find((dot) => dot.group === event.target) || current;
    });

    // The next node in that direction: the nearest, where what is aside counts twice.
    function step(dx, dy) {
      const cost = (dot) => {
        const [x, y] = [dot.left - current.left, dot.top - current.top];
        const ahead = x * dx + y * dy;
        return dot === current || ahead <= 0.5 ? Infinity : ahead + 2 * Math.abs(x * dy - y * dx);
      };
      const found = [...shown].sort((one, other) => cost(one) - cost(other))[0];
      if (cost(found) === Infinity) return;
      current.group.setAttribute("tabindex", -1);
      current = found;
      current.group.setAttribute("tabindex", 0);
      current.group.focus({ preventScroll: true });
    }

    function steps() {
      const top = Math.max(0, ...dots.map((dot) => dot.usd ?? 0));
      const names = ["", "K", "M", "B", "T"];
      form.elements.least.append(new Option("any dollars", 0));
      for (let power = 3; 10 ** power <= top; power += 1) {
        const name = `$${10 ** (power % 3)}${names[Math.min(Math.floor(power / 3), 4)]}`;
        form.elements.least.append(new Option(name, 10 ** power));
      }
    }

    steps();
    for (const [kind, path] of form.querySelectorAll(".kinds path").entries()) {
      path.setAttribute("d", shape(kind));
      path.setAttribute("transform", "scale(6)");
    }
    form.hidden = false;
    form.addEventListener("input", update);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => {
      chosen = null;
      setTimeout(update);
    });
    let width = 0;
    new ResizeObserver(() => {
      if (svg.clientWidth === width) return;
      width = svg.clientWidth;
      update();
    }).observe(svg);
    update();
  }

  const pictures = JSON.parse(document.getElementById("networks").textContent);
  for (const [id, said] of Object.entries(pictures)) start(document.getElementById(id), said);
})();
