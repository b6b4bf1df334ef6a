import { type Refusal, refuse } from '../../core/domain/refusal.ts'

const loopback = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
/** Where clouds keep their machines' credentials, and other places that are no receivers. */
const linkLocal = /^(169\.254\.|0\.|\[fe[89ab]|\[::\]|\[::ffff:)/i

/**
 * A receiver's address: https, without user, password, query or fragment, because they would show in lists. http only on this machine, and only with the
 * option `http yes`. Gives the address without a final slash.
 */
export const webTarget = (text: string, options: Readonly<Record<string, string>>): string | Refusal => {
  const url = text.length <= 500 && URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    return refuse('bad-target', 'That is not a web address; it begins with https://')
  if (url.username || url.password || url.search || url.hash)
    return refuse('bad-target', 'The address has no user, password or query; tokens are given as options.')
  if (linkLocal.test(url.hostname)) return refuse('bad-target', 'Nothing is sent to that address.')
  if (url.protocol === 'http:' && !(loopback.test(url.hostname) && options.http === 'yes'))
    return refuse(
      'not-https',
      'The address must begin with https://; http is possible on this machine only (http yes).',
    )
  return url.href.replace(/\/+$/, '')
}

/** `host:port` of a TLS listener; `tls://` may stand before it. Port 6514 when none is given (RFC 5425). */
export const tlsTarget = (text: string): string | Refusal => {
  const m = /^(?:tls:\/\/)?((?:[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)|\[[0-9a-f:]{2,45}\])(?::(\d{1,5}))?\/?$/i.exec(
    text,
  )
  const port = Number(m?.[2] ?? 6514)
  if (!m?.[1] || port < 1 || port > 65_535)
    return refuse('bad-target', 'Expected the host and port of a TLS listener, for instance siem.clinic.example:6514.')
  if (linkLocal.test(m[1])) return refuse('bad-target', 'Nothing is sent to that address.')
  return `${m[1].toLowerCase()}:${port}`
}

/** A file's name inside the folder of the sinks: never a path. */
export const fileTarget = (text: string): string | Refusal => {
  const name = text.replace(/\.(jsonl|csv)$/, '')
  return /^[a-z0-9][a-z0-9_-]{0,60}$/.test(name)
    ? name
    : refuse(
        'bad-target',
        'Expected a plain name of small letters, digits and dashes; the file is made in the folder of the sinks.',
      )
}
