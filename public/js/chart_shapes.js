/** Options of charts that are no lines or bars: heatmaps and radars. */
(() => {
  const { colour, write, tick, moment, dash, parts, shapes } = window.signalboxCharts;
  const { axis, tooltip, timeLabel, running } = parts;

  const DAY_MS = 86_400_000;
  /** Days that are named below a heatmap of many. */
  const LABELS = 10;

  /** Whether one of every `each` days begins with this bucket where the viewer lives. */
  function beginsDay(ms, each) {
    const at = new Date(ms);
    const day = Math.floor((ms - at.getTimezoneOffset() * 60_000) / DAY_MS);
    return at.getHours() === 0 && at.getMinutes() === 0 && day % each === 0;
  }

  /** A part of the way between two colours of the style sheet; ECharts' own map of values weighs 10 KB. */
  function blend(from, to) {
    const [a, b] = [from, to].map((name) =>
      colour(name)
        .match(/[\d.]+/g)
        .map(Number),
    );
    return (part) => `rgb(${[0, 1, 2].map((i) => Math.round(a[i] + (b[i] - a[i]) * part))})`;
  }

  function heat(data) {
    const { option, start, step, unit } = data;
    const words = ({ value: [at, band, n] }) =>
      `${moment(start + at * step)}${running(data, at)}\n${option.yAxis.data[band]}: ${write(unit, n)}`;
    const label = { ...timeLabel(), formatter: (at) => tick(start + Number(at) * step) };
    const days = (option.xAxis.data.length * step) / DAY_MS;
    if (days > 3) label.interval = (at) => beginsDay(start + at * step, Math.ceil(days / LABELS));
    const open = { borderColor: colour("--muted"), borderWidth: 1, borderType: "dashed" };
    const isRunning = (at) => data.running !== null && at >= data.running;
    const shade = blend("--chart-faint", "--chart-plain");
    const series = option.series.map(({ most, ...one }) => ({
      ...one,
      data: one.data.map((value) => {
        const look = { color: shade(value[3] / most) };
        return { value, itemStyle: isRunning(value[0]) ? { ...look, ...open } : look };
      }),
    }));
    return {
      ...option,
      xAxis: { ...axis(option.xAxis, unit, false), axisLabel: label },
      yAxis: axis(option.yAxis, unit, false),
      tooltip: tooltip(option.tooltip, words),
      series,
    };
  }

  function radar({ option, unit, tones }) {
    const [series] = option.series;
    const data = series.data.map((one, at) => ({
      ...one,
      itemStyle: { color: colour(`--chart-${tones[at]}`) },
      lineStyle: { type: dash(tones[at]) },
      areaStyle: { opacity: 0.12 },
    }));
    const line = { lineStyle: { color: colour("--line") } };
    const words = ({ name, value }) =>
      [
        name,
        ...option.radar.indicator.map((one, at) => `${one.name}: ${write(unit, value[at])}`),
      ].join("\n");
    const name = { color: colour("--muted"), fontSize: 11 };
    return {
      ...option,
      radar: {
        ...option.radar,
        axisName: name,
        axisLine: line,
        splitLine: line,
        splitArea: { show: false },
      },
      series: [{ ...series, data }],
      tooltip: tooltip(option.tooltip, words),
    };
  }

  Object.assign(shapes, { heat, radar });
})();
