// Warns if www/privacy.html still has a mark that the owner of the app must replace. `make deploy` calls it. It never fails,
// because the Worker also works without that page.
//
//   node scripts/privacy.mjs [file]

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { argv } from "node:process";
import { root } from "./inputs.mjs";

const [, , file = join(root, "www/privacy.html")] = argv;

const marks = listMarks(readFileSync(file, "utf8"));
if (marks.length > 0) {
  console.error(`Warning: ${relative(root, file)} is public after the upload, and ${marks.length} of its facts are not filled in yet:`);
  for (const { line, mark } of marks) console.error(`  line ${line}: ${mark}`);
}

/** Lists the texts in double square brackets, which may go over several lines. */
function listMarks(text) {
  return [...text.matchAll(/\[\[.*?\]\]/gs)].map(({ 0: mark, index }) => ({
    line: text.slice(0, index).split("\n").length,
    mark: mark.replace(/\s+/g, " "),
  }));
}
