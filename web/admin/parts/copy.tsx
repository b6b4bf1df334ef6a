import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { text } from '../text.ts'

/** A command as one types it, with a button that copies it. */
export const Copy = ({ what, label = text.door.copy }: { what: string; label?: string }): JSX.Element => {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const back = setTimeout(() => setCopied(false), 2500)
    return () => clearTimeout(back)
  }, [copied])
  const copy = () =>
    navigator.clipboard?.writeText(what).then(
      () => setCopied(true),
      () => undefined, // the browser does not let us: the words stand there to be marked
    )
  return (
    <span class="copy">
      <code>{what}</code>
      <button type="button" class="plain small" onClick={copy} aria-label={`${label}: ${what}`}>
        {copied ? text.door.copied : text.door.copy}
      </button>
      <span class="unseen" role="status">
        {copied ? text.door.copied : ''}
      </span>
    </span>
  )
}
