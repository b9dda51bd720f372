/**
 * How charts look and how their figures are written: colours from the style sheet, in the theme of the
 * moment, and units as the rest of the board writes them.
 */
(() => {
  const probe = document.createElement("i");
  probe.hidden = true;

  /** A custom property as the browser resolves it, which it does only for an element in the page. */
  function colour(name) {
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  const DASHES = {
    bad: [3, 3],
    second: "dashed",
    third: "dotted",
    fourth: [8, 3, 2, 3],
    muted: [2, 4],
  };

  function binary(n, unit) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let at = units.indexOf(unit);
    let value = n;
    while (value >= 1024 && at < units.length - 1) {
      value /= 1024;
      at += 1;
    }
    return `${digits(value)} ${units[at]}`;
  }

  function digits(n) {
    return n.toLocaleString("en-US", { maximumFractionDigits: Math.abs(n) >= 100 ? 0 : 2 });
  }

  const WRITES = {
    count: digits,
    points: digits,
    milliseconds: (n) => window.signalbox.duration(n),
    mebibytes: (n) => binary(n, "MiB"),
    bytes: (n) => binary(n, "B"),
    percent: (n) => `${digits(n)} %`,
    megabytes_per_second: (n) => `${digits(n)} MB/s`,
    megabits_per_second: (n) => `${digits(n)} Mbit/s`,
  };

  function write(unit, value) {
    return value === null || value === undefined ? "–" : WRITES[unit](Number(value));
  }

  const dayTime = new Intl.DateTimeFormat(undefined, {
    ...{ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false },
  });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const hour = new Intl.DateTimeFormat(undefined, { timeStyle: "short", hour12: false });

  /** On an axis: the day where one begins, else the hour. */
  function tick(ms) {
    const at = new Date(ms);
    return at.getHours() === 0 && at.getMinutes() === 0 ? day.format(at) : hour.format(at);
  }

  /** How high names above a chart stand, where they need several lines: a letter is some 6.5 pixels wide. */
  function legendRoom({ data, show }, series, width) {
    const names = data ?? series.map((one) => one.name);
    const LINE = 21;
    let [lines, used] = [1, 0];
    for (const name of names) {
      const wide = 34 + name.length * 6.5;
      if (used > 0 && used + wide > width) [lines, used] = [lines + 1, 0];
      used += wide;
    }
    return show ? (lines - 1) * LINE : 0;
  }

  /** Behind the lines: what is not complete yet, and when something was the matter. */
  function areasOf({ option, start, step, running, shaded = [] }) {
    const end = start + (option.series[0]?.data.length ?? 0) * step;
    const area = (from, to, itemStyle) => [{ xAxis: from, itemStyle }, { xAxis: to }];
    const open =
      running === null ? [] : [area(start + running * step, end, { color: colour("--hover") })];
    const marked = shaded.map(({ from, to, tone }) => {
      // What was over within a moment is seen, too.
      const least = (end - start) / 400;
      const until = Math.min(end, Math.max(to, from + least));
      return area(Math.max(start, from), until, { color: colour(`--${tone}`), opacity: 0.16 });
    });
    return [...open, ...marked];
  }

  window.signalboxCharts = {
    areasOf,
    legendRoom,
    ...{ colour, write, tick, moment: (ms) => dayTime.format(new Date(ms)) },
    dash: (tone) => DASHES[tone] ?? "solid",
  };
})();
