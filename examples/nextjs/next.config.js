/** This folder is the whole app. Without this, Next.js takes the folder of the repository for it, which has packages of its own. */
export default { turbopack: { root: import.meta.dirname } };
