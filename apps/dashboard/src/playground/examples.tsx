/** Prompts for an empty draft. */
const EXAMPLES: readonly { readonly name: string; readonly note: string; readonly text: string }[] = [
  {
    name: 'A story',
    note: 'The model goes on in the same voice.',
    text: 'Once upon a time, in a village at the edge of a great forest, there lived a girl who could talk to birds. One morning',
  },
  {
    name: 'Questions and answers',
    note: 'Two examples show the form of the third answer.',
    text: 'Q: What is the capital of France?\nA: Paris.\n\nQ: Which planet is closest to the sun?\nA: Mercury.\n\nQ: Who wrote "Hamlet"?\nA:',
  },
  {
    name: 'Code',
    note: 'A comment and a signature are a good beginning.',
    text: '# Return the n-th Fibonacci number.\ndef fibonacci(n):\n',
  },
];

export function Examples({ onChoose }: { readonly onChoose: (text: string) => void }) {
  return (
    <section className="playground-examples" aria-label="Examples">
      <p className="ui-muted">Begin with a text of your own, or with one of these:</p>
      <ul>
        {EXAMPLES.map(({ name, note, text }) => (
          <li key={name}>
            <button type="button" className="playground-example" onClick={() => onChoose(text)}>
              <strong>{name}</strong>
              <span className="playground-example-text">{text.split('\n\n')[0]}</span>
              <span className="ui-muted">{note}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
