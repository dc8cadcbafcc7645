/** Says that this folder is the whole app. Else Next.js would take the folder of the repository, which has packages of its own. */
export default { turbopack: { root: import.meta.dirname } };
