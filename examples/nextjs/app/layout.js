export const metadata = { title: "Linked accounts" };

export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
