/** What to try with the demo model. */
export const SUGGESTIONS = `Things to try:

- **think about it**: an answer with reasoning before it
- **list files**, **write notes.txt: hello**, **read notes.txt**, **run ls -la**: real tool calls in the workspace
- **show me code** or **a table**: rich Markdown
- **a long answer**, or a **slow** one: time to reload the page, pull the network or press stop
- **rate limit**, **flaky** or **error**: what a failing provider looks like`;

export const MARKDOWN_ANSWER = `Here is a little of everything that Markdown can do.

## Code

\`\`\`ts
/** Fibonacci numbers, as many as are asked for. */
export function* fibonacci(): Generator<number> {
  let [a, b] = [0, 1];
  for (;;) {
    yield a;
    [a, b] = [b, a + b];
  }
}
\`\`\`

## A table

| Part    | Lives in | Survives a crash |
| ------- | -------- | :--------------: |
| Message | SQLite   |       yes        |
| Event   | Redis    |       yes        |
| This    | a script |       yes        |

## A list

1. First, *emphasis* and **strength**.
2. Then \`inline code\` and a [link](https://example.org).
   - a nested point
   - and ~~another~~ one more
3. Last, a quotation:

> Simplicity is prerequisite for reliability.

That was the demo model; the renderer did the rest.`;

export const LONG_ANSWER = `This is a long answer, so that there is time to try things while it arrives.

Every word you see was first written into a journal and only then sent to you. Each entry of that journal has a number, one higher than the one before, and your browser remembers the last number it has shown. When you reload this page in the middle of a sentence, the browser comes back with that number and receives exactly what it missed: nothing twice, and nothing left out.

You could close the tab altogether. The run does not depend on anybody looking; a worker carries it, and the answer will be here, whole, when you return. You could open a second tab, or your phone: each follows the same journal at its own pace, and a slow one never holds up a fast one.

You could also press the stop button. Then the request to the model ends at once, the words that have arrived stay in the conversation, and a short note says that you stopped it. The next message continues from there.

And if you are of a curious mind, you could kill the worker process. Another one takes over within seconds, looks at what the journal holds, discards the half-finished step and does it again. The screen tells you that this happened, because a screen that hides the truth is of no use to anybody.

I am the demo model, and I have said this before, word for word, to everybody who asked. That is the charm of a script: it can be checked.`;
