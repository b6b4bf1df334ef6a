import type { Request, Response } from 'express'

/** Names and flags of a page's two cookies. The session is the person's; the binding only tells one browser from another (row 57). */
export type Cookies = { session: string; binding: string; secure: boolean }

const loopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || /^127(\.\d{1,3}){3}$/.test(host) || host === '[::1]'

/** May a session cookie travel to this address: https, or this very machine. */
export const isSafeAddress = (pageUrl: string): boolean => {
  const url = new URL(pageUrl)
  return url.protocol === 'https:' || loopback(url.hostname)
}

/**
 * `__Host-` cookies, which browsers accept over https and on a loopback address. Elsewhere plain http is only for trying out (`embedded`), with the plain
 * name and without Secure. A cookie belongs to a host whatever its port, so pages of one machine differ by `name`. @throws for a real installation whose
 * address is not https.
 */
export const cookiesFor = (pageUrl: string, embedded: boolean, name = 'wardroom'): Cookies => {
  if (isSafeAddress(pageUrl)) return { session: `__Host-${name}`, binding: `__Host-${name}-browser`, secure: true }
  if (!embedded)
    throw new Error(
      `the page's address must begin with https://, otherwise a session could be read on the way: ${pageUrl}`,
    )
  return { session: name, binding: `${name}-browser`, secure: false }
}

/** One cookie of a request; the first when there are several of one name, none when it is longer than any of ours. */
export const readCookie = (req: Request, name: string): string | undefined => {
  for (const part of (req.headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=')
    if (at < 0 || part.slice(0, at).trim() !== name) continue
    const value = part.slice(at + 1).trim()
    return /^[A-Za-z0-9_-]{16,64}$/.test(value) ? value : undefined
  }
  return undefined
}

const flags = (c: Cookies) => ({ httpOnly: true, secure: c.secure, sameSite: 'strict' as const, path: '/' })

/** The session cookie lives as long as the browser; the server's own clock ends it before. */
export const setSession = (res: Response, c: Cookies, value: string): void => {
  res.cookie(c.session, value, flags(c))
}
export const clearSession = (res: Response, c: Cookies): void => {
  res.clearCookie(c.session, flags(c))
}
/** The binding outlives the longest link by nothing. */
export const setBinding = (res: Response, c: Cookies, value: string): void => {
  res.cookie(c.binding, value, { ...flags(c), maxAge: 7 * 86_400_000 })
}
