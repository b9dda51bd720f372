/** The style of `/docs`, served as a file of its own because the page allows none inside. */
export const docsStyle = `:root { color-scheme: light dark; --line: #8885; --soft: #8881; --accent: #2563eb; }
* { box-sizing: border-box; }
body { margin: 0; display: grid; grid-template-columns: 17rem minmax(0, 1fr);
  font: 16px/1.5 system-ui, sans-serif; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem;
  border-right: 1px solid var(--line); font-size: .875rem; }
nav h2 { margin: 1.25rem 0 .25rem; font-size: .75rem; text-transform: uppercase; opacity: .7; }
nav ul { margin: 0; padding: 0; list-style: none; }
nav li { margin: .25rem 0; }
nav > a { font-weight: 700; font-size: 1.125rem; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
main { padding: 1.5rem clamp(1rem, 4vw, 3rem); max-width: 64rem; }
small { font-weight: 400; opacity: .6; }
article { margin: 1.5rem 0; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { margin: 0 0 .25rem; }
h4 { margin: 1rem 0 .25rem; font-size: .875rem; }
.path b { padding: .125rem .5rem; border-radius: .25rem; background: var(--accent); color: #fff;
  font-size: .75rem; }
.path b.post { background: #15803d; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { margin: .25rem 0; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--soft); border-radius: .375rem; }
code, td, th { overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; }
th, td { padding: .375rem .5rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
dt { margin-top: .5rem; }
dd { margin: 0; }
:target { scroll-margin-top: 1rem; background: var(--soft); }
@media (max-width: 48rem) {
  body { display: block; }
  nav { position: static; height: auto; border: 0; border-bottom: 1px solid var(--line); }
}
`;
