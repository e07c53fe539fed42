import js from "@eslint/js";

const names = (list) => Object.fromEntries(list.split(" ").map((name) => [name, "readonly"]));
const browser = names("AbortController addEventListener Blob TextDecoder TextEncoder URL atob btoa clearTimeout crypto CustomEvent document Element fetch FormData history HTMLFormElement indexedDB location navigator setTimeout URLSearchParams");
const tests = names("Buffer caches console Crypto dispatchEvent DOMException globalThis IDBDatabase IDBFactory IDBObjectStore Image innerWidth localStorage PageTransitionEvent process requestAnimationFrame Response sessionStorage SubtleCrypto WeakRef XMLSerializer");

export default [
  js.configs.recommended,
  {
    rules: {
      "eqeqeq": "error", "no-eval": "error", "no-implied-eval": "error", "no-var": "error",
      "prefer-const": "error", "no-shadow": ["error", { hoist: "all" }], "no-restricted-properties": ["error",
        { property: "innerHTML" }, { property: "outerHTML" }, { property: "insertAdjacentHTML" }],
    },
  },
  { files: ["page.js", "live.js", "attached.js", "link.js"], languageOptions: { sourceType: "module", globals: browser } },
  { files: ["link.js"], rules: { "no-unused-vars": "off" } },
  { files: ["*.mjs"], languageOptions: { globals: { ...browser, ...tests } } },
];
