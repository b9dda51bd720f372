/**
 * Icons as inline SVG: no request, no font, and they take the colour of the text around them.
 * Each job state has its own shape, so that colour is never the only sign.
 */
import type { JobState } from "../core/job_state.ts";

const RING = '<circle cx="8" cy="8" r="5.5"/>';

const STATES: Readonly<Record<JobState, string>> = {
  created: '<circle cx="8" cy="8" r="5.5" stroke-dasharray="1.5 2.8"/>',
  queued: '<circle cx="8" cy="8" r="5.5" stroke-dasharray="1.5 2.8"/>',
  ready: RING,
  dispatched: `${RING}<path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor"/>`,
  running: '<circle cx="8" cy="8" r="5.5" opacity=".3"/><path d="M8 2.5A5.5 5.5 0 0 1 13.5 8"/>',
  succeeded: `${RING}<path d="m5.6 8.2 1.7 1.7 3.2-3.6"/>`,
  failed: `${RING}<path d="m6 6 4 4m0-4-4 4"/>`,
  cancelled: `${RING}<path d="m4.3 11.7 7.4-7.4"/>`,
  dependency_failed: `${RING}<path d="M8 5v3.6M8 10.8v.2"/>`,
};

const OTHERS = {
  brand:
    '<rect x="5" y="1" width="6" height="14" rx="3"/><circle cx="8" cy="4.4" r="1.1" fill="currentColor"/>' +
    '<circle cx="8" cy="8" r="1.1" fill="currentColor" opacity=".35"/><circle cx="8" cy="11.6" r="1.1" fill="currentColor" opacity=".35"/>',
  live: '<path d="M2 8h2.6l1.7-4.5 3.2 9L11.2 8H14"/>',
  overview:
    '<path d="M2.5 2.5h4.6v5.2H2.5zm6.4 0h4.6v3.1H8.9zm0 5.1h4.6v5.9H8.9zM2.5 9.7h4.6v3.8H2.5z"/>',
  rankings: '<path d="M2.5 3.5h11m-11 4.5h7.5m-7.5 4.5h4"/>',
  warning: '<path d="M8 2.5 14 13H2zM8 6.5v3.2m0 1.6v.2"/>',
  service:
    '<path d="M2.5 4h11m-11 4h11m-11 4h11"/><circle cx="5.5" cy="4" r="1.4"/><circle cx="10.5" cy="8" r="1.4"/><circle cx="6.5" cy="12" r="1.4"/>',
  background:
    '<path d="M13.5 8a5.5 5.5 0 1 1-1.8-4.1"/><path d="M13.5 2v3h-3"/><path d="M8 5.2V8l2 1.3"/>',
  health:
    '<path d="M8 13.3S2.5 10.2 2.5 6.2A2.9 2.9 0 0 1 8 4.9a2.9 2.9 0 0 1 5.5 1.3c0 4-5.5 7.1-5.5 7.1z"/>',
  throughput: '<path d="M2.5 13.5v-4m3.7 4v-8m3.6 8V7.2m3.7 6.3v-11"/>',
  scheduler:
    '<path d="M2.5 4.5h5m3 0h3m-11 7h2m3 0h6"/><circle cx="9" cy="4.5" r="1.5"/><circle cx="6" cy="11.5" r="1.5"/>',
  durations: '<circle cx="8" cy="9" r="4.8"/><path d="M8 6.3V9l1.8 1.2M6.5 1.8h3"/>',
  theme:
    '<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor"/>',
  person:
    '<circle cx="8" cy="5.2" r="2.7"/><path d="M2.8 13.5c.5-2.9 2.5-4.3 5.2-4.3s4.7 1.4 5.2 4.3"/>',
  exit: '<path d="M6.5 2.5h-4v11h4M10 5l3 3-3 3M6 8h7"/>',
  search: '<circle cx="7" cy="7" r="4.3"/><path d="m10.2 10.2 3.3 3.3"/>',
  copy: '<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 3.5v-1h-8v8h1"/>',
  help: '<circle cx="8" cy="8" r="5.5"/><path d="M6.4 6.4a1.7 1.7 0 1 1 2.5 1.5c-.6.3-.9.6-.9 1.1M8 11v.2"/>',
  menu: '<path d="M2.5 4.5h11m-11 3.5h11m-11 3.5h11"/>',
  alert: '<path d="M8 2.5 14.2 13.3H1.8z"/><path d="M8 6.5v3.2M8 11.4v.2"/>',
  close: '<path d="m4 4 8 8m0-8-8 8"/>',
  block: '<circle cx="8" cy="8" r="5.5"/><path d="m4.3 4.3 7.4 7.4"/>',
  check: '<path d="m3.5 8.5 3 3 6-7"/>',
  retry: '<path d="M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3"/>',
  down: '<path d="M8 3v9.5M4 8.7l4 4 4-4"/>',
  audit: '<path d="M4 2.5h8v11H4z"/><path d="M6.2 5.5h3.6M6.2 8h3.6M6.2 10.5h2"/>',
  worker:
    '<rect x="2.5" y="3" width="11" height="4" rx="1"/><rect x="2.5" y="9" width="11" height="4" rx="1"/><path d="M5 5h.1M5 11h.1"/>',
  network:
    '<circle cx="8" cy="8" r="5.5"/><path d="M2.5 8h11M8 2.5c2 1.6 2.7 3.4 2.7 5.5S10 11.9 8 13.5C6 11.9 5.3 10.1 5.3 8S6 4.1 8 2.5z"/>',
  cache:
    '<ellipse cx="8" cy="4" rx="5" ry="1.9"/><path d="M3 4v8c0 1 2.2 1.9 5 1.9s5-.9 5-1.9V4M3 8c0 1 2.2 1.9 5 1.9S13 9 13 8"/>',
} as const;

export type IconName = JobState | keyof typeof OTHERS;

const ALL: Readonly<Record<string, string>> = { ...STATES, ...OTHERS };

/** Decorative: the words beside it say the same, so assistive technology skips it. */
export function icon(name: IconName): string {
  const shape = ALL[name] ?? RING;
  return (
    `<svg class="icon i-${name}" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor"` +
    ` stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${shape}</svg>`
  );
}
