// Uploads: init tells an id and into how many parts to cut the file, then come the parts (or, of a small file, the whole),
// then complete. The bytes are not kept: what arrived is told by the recorded requests' digests.

import { randomUUID } from "node:crypto";

import { objectIn, sendError, sendJson } from "./answers.mjs";
import { routeOf } from "./routes.mjs";

/** Uploads under way, of all connections. */
export class Uploads {
  #kept = new Map();
  #nextMedia = 1;

  clear() {
    this.#kept.clear();
  }

  /**
   * @param {import("./access.mjs").Call} call
   * @param {import("./switches.mjs").Switches} switches
   * @returns {boolean} false if the call is none of these
   */
  answer(call, switches) {
    const { route, parameters } = routeOf(call.req.method, call.path) ?? {};
    switch (route && `${route.method} ${route.path}`) {
      case "POST /v2/access/uploads/init":
        this.#init(call, switches.values.uploadPartSize);
        return true;
      case "PUT /v2/access/uploads/{mediaUploadId}/parts/{partNumber}":
        this.#part(call, parameters);
        return true;
      case "PUT /v2/access/uploads/{mediaUploadId}":
        this.#whole(call, parameters.mediaUploadId);
        return true;
      case "POST /v2/access/uploads/complete":
        this.#complete(call);
        return true;
      default:
        return false;
    }
  }

  /** Some SDKs say `filesize` where the reference says `size`. */
  #init({ req, res, body }, partSize) {
    const { filename, size, filesize = size } = objectIn(body) ?? {};
    if (typeof filename !== "string" || !Number.isSafeInteger(filesize) || filesize < 1) {
      return sendError(res, 400, "BAD_REQUEST", "filename must be a string, size a whole number from 1");
    }
    const mediaUploadId = `upload:${randomUUID()}`;
    const totalParts = Math.ceil(filesize / partSize);
    const connection = req.headers["x-connection-id"];
    this.#kept.set(mediaUploadId, { connection, size: filesize, partSize, totalParts, parts: new Map() });
    res.setHeader("x-ofauth-upload-total-parts", totalParts);
    res.setHeader("x-ofauth-upload-part-size", partSize);
    sendJson(res, 200, { mediaUploadId });
  }

  /** A part may come again, and in any order. */
  #part(call, { mediaUploadId, partNumber }) {
    const { res, body } = call;
    const upload = this.#find(call, mediaUploadId);
    if (!upload) return;
    const number = /^[1-9]\d{0,4}$/.test(partNumber) ? Number(partNumber) : Infinity;
    if (number > upload.totalParts) return sendError(res, 400, "BAD_REQUEST", `parts go from 1 to ${upload.totalParts}`);
    const expected = Math.min(upload.partSize, upload.size - (number - 1) * upload.partSize);
    if (body.length !== expected) return sendError(res, 400, "BAD_REQUEST", `part ${number} has ${expected} bytes`);
    upload.parts.set(number, body.sha256);
    sendJson(res, 200, { mediaUploadId, partNumber: number });
  }

  #whole(call, mediaUploadId) {
    const upload = this.#find(call, mediaUploadId);
    if (!upload) return;
    const { size } = upload;
    if (call.body.length !== size) return sendError(call.res, 400, "BAD_REQUEST", `the file has ${size} bytes`);
    this.#finish(call, mediaUploadId);
  }

  #complete(call) {
    const { mediaUploadId } = objectIn(call.body) ?? {};
    const upload = this.#find(call, mediaUploadId);
    if (!upload) return;
    const missing = upload.totalParts - upload.parts.size;
    if (missing > 0) return sendError(call.res, 400, "BAD_REQUEST", `${missing} of ${upload.totalParts} parts are missing`);
    this.#finish(call, mediaUploadId);
  }

  #finish({ res }, mediaUploadId) {
    this.#kept.delete(mediaUploadId);
    const media = { id: this.#nextMedia, type: "photo", isReady: true, hasError: false, canView: true };
    this.#nextMedia += 1;
    sendJson(res, 200, { mediaUploadId, media });
  }

  /** The connection's own upload; undefined once a call about any other is refused. */
  #find({ req, res }, mediaUploadId) {
    const upload = this.#kept.get(mediaUploadId);
    if (upload?.connection === req.headers["x-connection-id"]) return upload;
    sendError(res, 404, "RESOURCE_NOT_FOUND", "Upload not found");
    return undefined;
  }
}
