// The reconciler's own file, as the runtime keeps it: for what would take ten minutes to happen. It is changed only while no
// gateway runs.

import { filesOfClass, inDatabase } from "./objects.mjs";

/**
 * What `work` makes of the reconciler of that gateway.
 * @template T
 * @param {string} folder   the gateway's
 * @param {(reconciler: import("node:sqlite").DatabaseSync) => T} work
 * @returns {T}
 */
export function inReconciler(folder, work) {
  const files = filesOfClass(folder, "Reconciler");
  if (files.length !== 1) throw new Error(`there are ${files.length} reconcilers`);
  return inDatabase(folder, "Reconciler", files[0], work);
}

/** Makes the connections that were absent from the last pass absent since ten minutes before. */
export function ageAbsences(folder) {
  inReconciler(folder, (reconciler) => reconciler.exec("UPDATE absent SET since = since - 600000"));
}
