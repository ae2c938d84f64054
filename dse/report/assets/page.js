// Draws the explorer in the page's own colours, again when the reader's theme changes.
(function () {
  const place = document.getElementById("explorer-plot");
  const source = document.getElementById("explorer-data");
  if (!place || !source || !window.Plotly) return;
  const given = JSON.parse(source.textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  function draw() {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--text").trim();
    const line = style.getPropertyValue("--line").trim();
    const layout = structuredClone(given.layout);
    layout.font = {color: ink, size: 13};
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.hoverlabel = {bgcolor: style.getPropertyValue("--card").trim(), font: {color: ink}, align: "left"};
    layout.modebar = {bgcolor: "rgba(0,0,0,0)", color: line, activecolor: ink};
    for (const axis of [layout.xaxis, layout.yaxis]) Object.assign(axis, {gridcolor: line, linecolor: line});
    for (const shape of layout.shapes) shape.line.color = style.getPropertyValue("--muted").trim();
    const data = structuredClone(given.data);
    for (const trace of data) {
      if (trace.meta && trace.meta.ink) trace.marker.color = style.getPropertyValue(trace.meta.ink).trim();
    }
    window.Plotly.react(place, data, layout, {responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"]});
  }
  draw();
  dark.addEventListener("change", draw);
})();
