import js from "@eslint/js";

const names = (list) => Object.fromEntries(list.split(" ").map((name) => [name, "readonly"]));
const browser = names("AbortController addEventListener Blob TextEncoder URL atob btoa clearTimeout crypto document fetch indexedDB location navigator setTimeout");
const tests = names("Buffer caches console dispatchEvent DOMException history IDBDatabase IDBObjectStore Image innerWidth localStorage PageTransitionEvent process requestAnimationFrame sessionStorage WeakRef XMLSerializer");

export default [
  js.configs.recommended,
  {
    rules: {
      "eqeqeq": "error", "no-eval": "error", "no-implied-eval": "error", "no-var": "error",
      "prefer-const": "error", "no-shadow": ["error", { hoist: "all" }], "no-restricted-properties": ["error",
        { property: "innerHTML" }, { property: "outerHTML" }, { property: "insertAdjacentHTML" }],
    },
  },
  { files: ["page.js"], languageOptions: { sourceType: "module", globals: browser } },
  { files: ["*.mjs"], languageOptions: { globals: { ...browser, ...tests } } },
];
