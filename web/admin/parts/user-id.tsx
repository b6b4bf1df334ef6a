import type { JSX } from 'preact'

/** A Matrix id that breaks before its server, where it has to. */
export const UserId = ({ id }: { id: string }): JSX.Element => {
  const at = id.indexOf(':')
  if (at < 0) return <>{id}</>
  return (
    <>
      {id.slice(0, at)}
      <wbr />
      {id.slice(at)}
    </>
  )
}
