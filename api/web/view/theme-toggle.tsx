import { useState } from "react";
import { MoonIcon, SunIcon } from "./icons.tsx";

type Theme = "light" | "dark";

const shownTheme = (): Theme => {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
};

/** Follows the system until it is used; `public/theme.js` applies the choice before the first paint of the next visit. */
export const ThemeToggle = () => {
  const [theme, setTheme] = useState(shownTheme);
  const other: Theme = theme === "dark" ? "light" : "dark";
  return (
    <button
      className="icon-button"
      type="button"
      aria-label={`Use the ${other} theme`}
      onClick={() => {
        document.documentElement.dataset.theme = other;
        try {
          localStorage.setItem("talaria.theme", other);
        } catch {
          // The choice then lasts as long as the page.
        }
        setTheme(other);
      }}
    >
      {theme === "dark" ? <SunIcon /> : <MoonIcon />}
    </button>
  );
};
