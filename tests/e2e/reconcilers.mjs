// The reconciler's own file, as the runtime keeps it: for what would take ten minutes to happen. It is changed only while no
// gateway runs.

import { filesOfClass, inDatabase } from "./objects.mjs";

/** Makes the connections that were absent from the last pass absent since ten minutes before. */
export function ageAbsences(folder) {
  const files = filesOfClass(folder, "Reconciler");
  if (files.length !== 1) throw new Error(`there are ${files.length} reconcilers`);
  inDatabase(folder, "Reconciler", files[0], (reconciler) => reconciler.exec("UPDATE absent SET since = since - 600000"));
}
