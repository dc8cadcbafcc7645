// The reconciler's own file, as the runtime keeps it: for what would take ten minutes to happen. It is changed only while no
// gateway runs.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const RECONCILERS = "do/ofauth-edge-Reconciler";

/**
 * What `work` makes of the reconciler of that gateway.
 * @template T
 * @param {string} folder   the gateway's
 * @param {(reconciler: DatabaseSync) => T} work
 * @returns {T}
 */
function inReconciler(folder, work) {
  const files = readdirSync(join(folder, RECONCILERS)).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  if (files.length !== 1) throw new Error(`there are ${files.length} reconcilers`);
  const reconciler = new DatabaseSync(join(folder, RECONCILERS, files[0]), { timeout: 5_000 });
  try {
    return work(reconciler);
  } finally {
    reconciler.close();
  }
}

/** Makes the connections that were absent from the last pass absent since ten minutes before. */
export function ageAbsences(folder) {
  inReconciler(folder, (reconciler) => reconciler.exec("UPDATE absent SET since = since - 600000"));
}
