/** Finishes what the server wrote into an option of ECharts: moments, colours, and words in tooltips. */
(() => {
  const { areasOf, colour, write, tick, moment, dash, legendRoom } = window.signalboxCharts;

  function axis(own, unit, isValue) {
    const text = { color: colour("--muted"), fontSize: 11, hideOverlap: true };
    const line = { lineStyle: { color: colour("--line") } };
    const label = isValue ? { ...text, formatter: (v) => write(unit, v) } : text;
    return { ...own, axisLabel: label, axisLine: line, axisTick: { show: false }, splitLine: line };
  }

  function tooltip(own, formatter) {
    return {
      ...own,
      formatter,
      backgroundColor: colour("--raised"),
      borderColor: colour("--line-strong"),
      textStyle: { color: colour("--text"), fontSize: 12 },
      axisPointer: {
        ...own.axisPointer,
        lineStyle: { color: colour("--line-strong") },
        shadowStyle: { color: colour("--hover"), opacity: 0.6 },
      },
    };
  }

  function toned(series, tones) {
    return series.map((one, at) => {
      const tone = colour(`--chart-${tones[at]}`);
      const thick = one.isFaint ? { width: 1, opacity: 0.6 } : { width: 1.8 };
      const line = one.type === "line" ? { lineStyle: { ...thick, type: dash(tones[at]) } } : {};
      return { ...one, itemStyle: { color: tone }, ...line };
    });
  }

  const named = (items, unit) =>
    items.map((item) => `${item.marker ?? ""}${item.seriesName}: ${write(unit, last(item.value))}`);
  const untagged = (line) => line.replace(/<[^>]*>/g, "");
  const last = (value) => (Array.isArray(value) ? value[value.length - 1] : value);

  function running(data, at) {
    return data.running !== null && at >= data.running ? " (not complete yet)" : "";
  }

  function time(data) {
    const { option, start, step, unit, tones } = data;
    const series = option.series.map((one) => {
      // In the middle of its bucket: a bar is as wide as what it stands for.
      const points = one.data.map((value, at) => [start + (at + 0.5) * step, value]);
      return { ...one, data: points };
    });
    const areas = areasOf(data);
    if (areas.length > 0 && series.length > 0) {
      series[0] = { ...series[0], markArea: { silent: true, data: areas } };
    }
    const words = (items) => {
      const at = Math.floor((items[0].axisValue - start) / step);
      const head = moment(start + at * step) + running(data, at);
      return [head, ...named(items, unit).map(untagged)].join("\n");
    };
    return {
      ...option,
      xAxis: {
        ...axis(option.xAxis, unit, false),
        axisLabel: timeLabel(),
        min: start,
        max: end(data),
      },
      yAxis: axis(option.yAxis, unit, true),
      tooltip: tooltip(option.tooltip, words),
      series: toned(series, tones),
    };
  }

  /** The last bucket has a width, too. */
  function end({ option, start, step }) {
    return start + (option.series[0]?.data.length ?? 0) * step;
  }

  function timeLabel() {
    return { color: colour("--muted"), fontSize: 11, hideOverlap: true, formatter: tick };
  }

  function bars({ option, unit, tones }) {
    const side = (own) => {
      const made = axis(own, unit, own.type === "value");
      // Names beside lying bars must leave room for the bars.
      const width = window.innerWidth < 700 ? 110 : 190;
      const cut = { width, overflow: "truncate", interval: 0 };
      return own.inverse ? { ...made, axisLabel: { ...made.axisLabel, ...cut } } : made;
    };
    const words = (items) =>
      [items[0].axisValueLabel, ...named(items, unit).map(untagged)].join("\n");
    return {
      ...{ ...option, xAxis: side(option.xAxis), yAxis: side(option.yAxis) },
      ...{ tooltip: tooltip(option.tooltip, words), series: toned(option.series, tones) },
    };
  }

  const parts = { axis, tooltip, timeLabel, running, time, bars };
  /** Charts of other shapes: `chart_shapes.js`. */
  const shapes = {};
  Object.assign(window.signalboxCharts, { parts, shapes });

  window.signalboxCharts.finish = (data, width) => {
    const option = (parts[data.kind] ?? shapes[data.kind])(data);
    const room = option.grid && option.legend ? legendRoom(option.legend, option.series, width) : 0;
    const legend = { ...option.legend, textStyle: { color: colour("--muted"), fontSize: 12 } };
    const font = getComputedStyle(document.body).fontFamily;
    return {
      ...option,
      ...(room > 0 ? { grid: { ...option.grid, top: option.grid.top + room } } : {}),
      animation: false,
      textStyle: { fontFamily: font },
      ...(option.legend ? { legend } : {}),
    };
  };
})();
