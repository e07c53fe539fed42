import js from "@eslint/js";

const names = (list) => Object.fromEntries(list.split(" ").map((name) => [name, "readonly"]));
const browser = names("AbortController addEventListener Blob DOMException IDBDatabase IDBObjectStore TextEncoder URL WeakRef atob btoa caches clearTimeout console crypto document fetch history Image indexedDB innerWidth localStorage location navigator sessionStorage setTimeout XMLSerializer");

export default [
  js.configs.recommended,
  {
    rules: {
      "eqeqeq": "error", "no-eval": "error", "no-implied-eval": "error", "no-var": "error",
      "prefer-const": "error", "no-shadow": "error", "no-restricted-properties": ["error",
        { property: "innerHTML" }, { property: "outerHTML" }, { property: "insertAdjacentHTML" }],
    },
  },
  { files: ["page.js"], languageOptions: { sourceType: "module", globals: browser } },
  { files: ["*.mjs"], languageOptions: { globals: { ...browser, ...names("Buffer process") } } },
];
