/** The look of an exported page: one column, readable on a phone and on paper, light or dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1d20; --soft: #5d6066; --paper: #fff; --card: #f4f4f2; --line: #dcdcd8; --mark: #2f5d8a; --bad: #a3302b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e3; --soft: #a0a3a8; --paper: #17181a; --card: #222326; --line: #383a3e; --mark: #8ab4dd; --bad: #ee8d86; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
body > header, main { max-width: 48rem; margin: 0 auto; padding: 1.5rem 1rem; }
body > header { border-bottom: 1px solid var(--line); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; font-size: .875rem; color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
article { margin: 0 0 1.75rem; break-inside: auto; }
article > header { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; font-size: .8125rem; color: var(--soft); }
article > header h2 { font-size: .875rem; margin: 0; color: var(--mark); }
.outcome { color: var(--bad); }
.body { overflow-wrap: anywhere; overflow-x: auto; contain: paint; }
.user .body { background: var(--card); border-radius: .75rem; padding: .1rem 1rem; }
.notice .body { border-inline-start: 3px solid var(--line); padding-inline-start: 1rem; color: var(--soft); }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; overflow-x: auto; }
pre.plain { background: none; border: 0; padding: 0; margin: .6rem 0; font: inherit; white-space: pre-wrap; }
pre, code { font-family: ui-monospace, monospace; font-size: .875rem; }
details { margin: .6rem 0; border: 1px solid var(--line); border-radius: .5rem; padding: .35rem .75rem; font-size: .9375rem; }
summary { cursor: pointer; color: var(--soft); }
a { color: var(--mark); }
img { max-width: 100%; height: auto; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; }
blockquote { margin: .6rem 0; padding-inline-start: 1rem; border-inline-start: 3px solid var(--line); color: var(--soft); }
`;
