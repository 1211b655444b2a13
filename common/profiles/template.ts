const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * `${NAME}` replaced from `vars` and from nothing else (P-23). A variable that is not there is empty, and told to `onMissing`.
 */
export const expandTemplate = (
  text: string,
  vars: Readonly<Record<string, string>>,
  onMissing: (name: string) => void = () => undefined,
): string =>
  text.replaceAll(VARIABLE, (_all, name: string) => {
    if (Object.hasOwn(vars, name)) return vars[name] ?? "";
    onMissing(name);
    return "";
  });

/** The variables that a text names. */
export const variablesIn = (text: string): readonly string[] =>
  [...text.matchAll(VARIABLE)].map(([, name = ""]) => name);

/** A setting with its variables filled in, and nothing where nothing is left of it. */
export const expandSetting = (text: string | null, env: Readonly<Record<string, string>>): string | null =>
  text === null ? null : expandTemplate(text, env) || null;
