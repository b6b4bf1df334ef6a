import type { RequestHandler } from 'express'
import helmet from 'helmet'

/**
 * The page's headers (design §7, web/contract.ts): nothing but our own files and WebAssembly, no frame, no referrer, no index, nothing stored; a name for
 * scripts' texts does not exist. HSTS where the public URL is https. `frameAncestors`: who may frame the page, only the handset of an embedded installation.
 */
export const securityHeaders = (publicUrl: string, frameAncestors: readonly string[] = []): RequestHandler[] => {
  const https = publicUrl.startsWith('https:')
  return [
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
          connectSrc: ["'self'"],
          imgSrc: ["'self'", 'blob:'],
          mediaSrc: ['blob:'],
          styleSrc: ["'self'"],
          workerSrc: ["'self'"],
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
      strictTransportSecurity: https ? { maxAge: 63_072_000, includeSubDomains: true } : false,
    }),
    (_req, res, next) => {
      res.set({
        'Cache-Control': 'no-store',
        'X-Robots-Tag': 'noindex, nofollow, noarchive',
        'Permissions-Policy': 'microphone=(self), camera=(), geolocation=(), payment=(), usb=(), browsing-topics=()',
      })
      next()
    },
  ]
}
