import type { RequestHandler } from 'express'
import helmet from 'helmet'

export type PageNeeds = {
  /** Who may frame the page: only the handset of an embedded installation, otherwise nobody. */
  frameAncestors?: readonly string[]
  /** It decrypts: WebAssembly, pictures and sounds out of memory, and the microphone. */
  decrypts?: boolean
}

/**
 * A page's headers (design §7, web/contract.ts): nothing but our own files, no frame, no referrer, no index, nothing stored; a name for scripts' texts does
 * not exist. HSTS where its address is https.
 */
export const securityHeaders = (
  pageUrl: string,
  { frameAncestors = [], decrypts = false }: PageNeeds = {},
): RequestHandler[] => {
  const https = pageUrl.startsWith('https:')
  return [
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: decrypts ? ["'self'", "'wasm-unsafe-eval'"] : ["'self'"],
          connectSrc: ["'self'"],
          imgSrc: decrypts ? ["'self'", 'blob:'] : ["'self'"],
          ...(decrypts ? { mediaSrc: ['blob:'], workerSrc: ["'self'"] } : {}),
          styleSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: frameAncestors.length > 0 ? [...frameAncestors] : ["'none'"],
          requireTrustedTypesFor: ["'script'"],
          trustedTypes: ["'none'"],
        },
      },
      crossOriginOpenerPolicy: { policy: 'same-origin' },
      crossOriginEmbedderPolicy: { policy: 'require-corp' },
      crossOriginResourcePolicy: { policy: 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      frameguard: frameAncestors.length > 0 ? false : { action: 'deny' },
      // Only Internet Explorer 8 knew the one and Flash the other, and every answer before the identity is confirmed counts in bytes.
      xDownloadOptions: false,
      xPermittedCrossDomainPolicies: false,
      strictTransportSecurity: https ? { maxAge: 63_072_000, includeSubDomains: true } : false,
    }),
    (_req, res, next) => {
      const microphone = decrypts ? '(self)' : '()'
      res.set({
        'Cache-Control': 'no-store',
        'X-Robots-Tag': 'noindex, nofollow, noarchive',
        'Permissions-Policy': `microphone=${microphone}, camera=(), geolocation=(), payment=(), usb=()`,
      })
      next()
    },
  ]
}
