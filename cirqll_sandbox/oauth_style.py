"""How the pages of the sign-in look, in light and in dark."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #56636f; --paper: #fff;
  --ground: #eef2f5; --line: #d5dde4; --main: #0b6b5d; --on-main: #fff; --warn: #a1260d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf1; --soft: #a6b3bf; --paper: #1b232b;
  --ground: #11171c; --line: #35414c; --main: #4cc3ae; --on-main: #06231e; --warn: #ff9d85; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; padding: 2rem 1rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main, footer { max-width: 34rem; margin: 0 auto; }
header { display: flex; align-items: center; gap: .6rem; padding-bottom: 1rem; }
.brand { font-size: 1.25rem; font-weight: 700; }
.badge { padding: 0 .6rem; border: 1px solid var(--warn); border-radius: 1rem; color: var(--warn);
  font-size: .8rem; font-weight: 600; }
main { padding: 1.75rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: .75rem; }
h1 { margin: 0 0 1.25rem; font-size: 1.4rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
fieldset { margin: 0; padding: 0; border: 0; }
legend { padding: 0 0 .4rem; font-weight: 600; }
.person { display: flex; align-items: center; gap: .75rem; margin: 0 0 .5rem; padding: .75rem;
  border: 1px solid var(--line); border-radius: .5rem; }
label.person { cursor: pointer; }
.face { flex: none; width: 2.5rem; height: 2.5rem; border-radius: 50%; background: var(--main);
  color: var(--on-main); font-weight: 700; line-height: 2.5rem; text-align: center; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem 0; border-top: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { width: 8.5rem; padding-right: 1rem; font-weight: 500; overflow-wrap: normal; }
ul { display: flex; flex-wrap: wrap; gap: .35rem; margin: 0; padding: 0; list-style: none; }
li { padding: 0 .6rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .875rem; }
li.delete { border-color: var(--warn); color: var(--warn); }
.note, .from, footer { color: var(--soft); font-size: .875rem; }
.from { display: block; line-height: 1.4; }
.note:last-child { margin-bottom: 0; }
footer { padding: 1rem 0; text-align: center; text-wrap: balance; }
.buttons { display: flex; gap: .75rem; margin: 1.5rem 0 .75rem; }
button { flex: 1; min-height: 2.75rem; border: 1px solid var(--line); border-radius: .5rem;
  background: transparent; color: inherit; font: inherit; font-weight: 600; cursor: pointer; }
button.allow { border-color: var(--main); background: var(--main); color: var(--on-main); }
button:focus-visible, input:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
@media (max-width: 30rem) { body { padding: 1rem .5rem; } main { padding: 1.1rem; }
  th { width: 6.5rem; padding-right: .5rem; }
  .buttons { flex-direction: column; } }
"""
