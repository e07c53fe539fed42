// Goods of a shop for the tests, with small pictures drawn here.
import { writeFileSync } from "node:fs";

const picture = (hue, shape) => "data:image/svg+xml," + encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72"><rect width="72" height="72" fill="hsl(${hue} 45% 82%)"/>` +
  `<path d="${shape}" fill="hsl(${hue} 45% 38%)"/></svg>`);

const items = [
  { id: "T-01", name: { en: "Teapot, cast iron", ja: "南部鉄器の急須" }, price: 4150, specification: { en: "0.8 l, cast iron, enamelled inside", ja: "0.8 l、鋳鉄、内側ホーロー引き" }, performance: { en: "Keeps tea hot for an hour", ja: "約 1 時間保温" }, picture: picture(20, "M16 34h34v6a17 17 0 0 1-34 0zM50 34l10-6v6l-8 10zM30 26h8v4h-8z") },
  { id: "G-02", name: { en: "Green tea, 100 g", ja: "煎茶 100 g" }, price: 1280, specification: "100 g", picture: picture(110, "M36 14c16 10 18 26 0 44-18-18-16-34 0-44z") },
  { id: "B-31", name: { en: "Black tea, second flush, from the hills above Darjeeling, 250 g", ja: "紅茶、セカンドフラッシュ、ダージリンの丘の茶園から、250 g" }, price: 3960, picture: picture(280, "M18 24h36v10a18 18 0 0 1-36 0z") },
  { id: "N-08", name: { en: "Notebook, squared", ja: "方眼ノート" }, price: 520, picture: picture(215, "M22 14h30v44H22zM26 22v4h22v-4z") },
];
writeFileSync("items.json", JSON.stringify({ title: { en: "Tokyo Tea & Paper", ja: "東京茶紙店" }, currency: "JPY", items }));
