// Draws every figure in the page's own colours, and again when those or the width change.
(function () {
  "use strict";
  const root = document.documentElement;
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const paperWidth = 660;
  const config = {
    displaylogo: false,
    responsive: true,
    modeBarButtons: [["toImage"]],
  };

  function colored(value, style) {
    if (typeof value === "string") {
      return /^--[a-z]/.test(value) ? style.getPropertyValue(value).trim() : value;
    }
    if (Array.isArray(value)) return value.map((entry) => colored(entry, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, colored(entry, style)]));
  }

  function draw(width) {
    const style = getComputedStyle(root);
    for (const [id, figure] of Object.entries(figures)) {
      const box = document.getElementById(id);
      const { data, layout } = colored(figure, style);
      const phone = (width || box.clientWidth) < 520;
      layout.dragmode = false;
      layout.autosize = !width;
      if (width) layout.width = width;
      if (phone) {
        layout.font.size = 11;
        layout.margin.r = 22;
        layout.xaxis.nticks = 6;
        if (layout.xaxis.dtick) layout.xaxis.dtick *= 2;
      }
      Plotly.react(box, data, layout, config);
    }
  }

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  addEventListener("beforeprint", () => {
    root.dataset.paper = "";
    draw(paperWidth);
  });
  addEventListener("afterprint", () => {
    delete root.dataset.paper;
    draw();
  });
})();
