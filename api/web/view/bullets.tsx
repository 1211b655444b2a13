/** Words of others, or of a model, as a list: text and nothing else (background-jobs B-32). */
export const Bullets = ({ texts }: { readonly texts: readonly string[] }) => (
  <ul className="bullets">
    {texts.map((text, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: two may say the same, and none ever moves
      <li key={index} dir="auto">
        {text}
      </li>
    ))}
  </ul>
);
