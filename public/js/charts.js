/**
 * Draws every chart of the page, again where its figures or the theme change, with one crosshair for
 * all. A click leads to what happened in a bucket; a table says the same to those who do not look.
 */
(() => {
  if (!window.echarts) return;
  const { finish, write, moment } = window.signalboxCharts;
  const plots = new Map();
  const GROUP = "page";

  const dataOf = (id) => {
    const script = document.querySelector(`script[data-chart="${CSS.escape(id)}"]`);
    return script ? JSON.parse(script.textContent) : null;
  };

  function draw(element) {
    const id = element.dataset.plot;
    const data = dataOf(id);
    const isEmpty = document.querySelector(`#data-${CSS.escape(id)} .chart-empty`) !== null;
    element.hidden = data === null || isEmpty;
    if (element.hidden) return;
    const known = plots.get(element) ?? begin(element, data);
    known.data = data;
    const option = finish(data, element.clientWidth);
    // Many names above a chart take none of its room.
    const top = option.grid?.top ?? 0;
    element.style.minHeight = top > 60 ? `${200 + top}px` : "";
    known.chart.setOption(option, { notMerge: true });
  }

  function begin(element, data) {
    const chart = window.echarts.init(element, null, { renderer: "canvas" });
    const plot = { chart, data };
    plots.set(element, plot);
    if (data.kind === "time") chart.group = GROUP;
    new ResizeObserver(() => chart.resize()).observe(element);
    chart.getZr().on("click", (event) => open(plot, event));
    element.setAttribute("role", "img");
    const title = element.closest("figure")?.querySelector("h2")?.textContent;
    element.setAttribute("aria-label", `${title}: chart. The button Table shows its figures.`);
    return plot;
  }

  function open({ chart, data }, event) {
    if (!data.opens) return;
    const place = chart.convertFromPixel({ seriesIndex: 0 }, [event.offsetX, event.offsetY]);
    if (!place || !chart.containPixel("grid", [event.offsetX, event.offsetY])) return;
    const at = data.kind === "heat" ? place[0] : Math.floor((place[0] - data.start) / data.step);
    const from = new Date(data.start + at * data.step).toISOString();
    const to = new Date(data.start + (at + 1) * data.step).toISOString();
    location.href = data.opens
      .replace("{from}", encodeURIComponent(from))
      .replace("{to}", encodeURIComponent(to));
  }

  function table(button) {
    const foot = button.closest(".chart-foot");
    const shown = foot.querySelector("table");
    button.setAttribute("aria-expanded", String(!shown));
    if (shown) return shown.parentElement.remove();
    const wrap = document.createElement("div");
    wrap.className = "table-wrap chart-table";
    wrap.tabIndex = 0;
    wrap.append(tableOf(dataOf(button.dataset.table)));
    foot.append(wrap);
  }

  function tableOf({ option, kind, unit, start, step }) {
    const made = document.createElement("table");
    const line = (cells, kindOf) => {
      const row = made.insertRow();
      for (const text of cells) {
        const cell = row.appendChild(document.createElement(kindOf));
        cell.textContent = text;
      }
    };
    const lines = kind === "radar" ? option.series[0].data : option.series;
    if (kind === "heat") {
      line(["", ...option.yAxis.data], "th");
      const byPlace = new Map(lines[0].data.map(([at, band, n]) => [`${at} ${band}`, n]));
      for (const at of option.xAxis.data) {
        const cells = option.yAxis.data.map((_, band) =>
          write(unit, byPlace.get(`${at} ${band}`) ?? 0),
        );
        line([moment(start + at * step), ...cells], "td");
      }
      return made;
    }
    line(["", ...lines.map((one) => one.name)], "th");
    const values = (one) => one.data ?? one.value;
    const labels =
      kind === "time"
        ? values(lines[0]).map((_, at) => moment(start + at * step))
        : kind === "radar"
          ? option.radar.indicator.map((one) => one.name)
          : (option.xAxis.data ?? option.yAxis.data);
    for (const [at, label] of labels.entries()) {
      line([label, ...lines.map((one) => write(unit, values(one)[at]))], "td");
    }
    return made;
  }

  function drawAll() {
    for (const element of document.querySelectorAll("[data-plot]")) draw(element);
    window.echarts.connect(GROUP);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-table]");
    if (button) table(button);
  });
  document.addEventListener("htmx:after:swap", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  new MutationObserver(drawAll).observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  // Once the rest of this file has run: units are written by `clock.js`.
  queueMicrotask(drawAll);
})();
