// What the console uses of the package. Its Inspector explains and signs in the browser, with the sample events of `ofauth-edge trigger`.

export { explainSignature, init, signWebhook, verifyWebhook } from "./slim.mjs";
export { SAMPLE_TYPES, sampleEvent } from "./cli/samples.mjs";
