// Wraps a side's worker so that it counts: rows that SQL reads and writes, alarms that are set, requests that arrive at
// objects. Only the run that counts uses it; bench.mjs builds it in front of a side, which it imports as "side".
//
// Rows are what the cursors of `sql.exec` say, for a side in wasm as for one in JavaScript: both call the same method.

import * as side from "side";

const cursors = [];
let alarms = 0;
let requests = {};

export default side.default;

export const counts = {
  fetch() {
    const sum = (column) => cursors.reduce((total, cursor) => total + cursor[column], 0);
    const counted = { rowsRead: sum("rowsRead"), rowsWritten: sum("rowsWritten"), alarms, requests };
    cursors.length = 0;
    [alarms, requests] = [0, {}];
    return Response.json(counted);
  },
};

export const Ledger = counted("Ledger");
export const Hub = counted("Hub");

// A subclass whose every method counts as a request: each is called from outside only. A side may lack the class.
function counted(name) {
  const Class = side[name] ?? class {};
  class Counted extends Class {
    constructor(ctx, env) {
      watch(ctx.storage);
      super(ctx, env);
    }
  }
  for (const method of Object.getOwnPropertyNames(Class.prototype)) {
    const original = Object.getOwnPropertyDescriptor(Class.prototype, method).value;
    if (method === "constructor" || typeof original !== "function" || method.startsWith("_")) continue;
    Counted.prototype[method] = function (...args) {
      const key = method === "alarm" ? `${name} alarm` : name;
      requests[key] = (requests[key] ?? 0) + 1;
      return original.apply(this, args);
    };
  }
  return Counted;
}

// The prototypes are those of all objects of the isolate, so this is done once.
let watched = false;
function watch(storage) {
  if (watched) return;
  watched = true;
  const [storagePrototype, sqlPrototype] = [storage, storage.sql].map(Object.getPrototypeOf);
  const { exec } = sqlPrototype;
  sqlPrototype.exec = function (...args) {
    const cursor = exec.apply(this, args);
    cursors.push(cursor);
    return cursor;
  };
  for (const method of ["setAlarm", "deleteAlarm"]) {
    const original = storagePrototype[method];
    storagePrototype[method] = function (...args) {
      alarms++;
      return original.apply(this, args);
    };
  }
}
