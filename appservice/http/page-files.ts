import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import express, { type Request, type Response, type Router } from 'express'
import { builtPage, contentType } from '../../core/http/built-page.ts'

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)

/** The words that the page has before its script runs. */
export type PageNames = { name: string; phone: string }

/**
 * The built page: the same bytes for `/l/:token` and `/check`, whatever the token is, and hashed assets for ever. Only GET and HEAD, and neither asks the
 * database about the token. @throws when the page was not built.
 */
export const pageFiles = (folder: string, names: () => Promise<PageNames>, logoFile?: string): Router => {
  const { html, files } = builtPage(folder)
  const router = express.Router({ caseSensitive: true, strict: true })
  const page = async (_req: Request, res: Response) => {
    const { name, phone } = await names()
    const filled = html
      .replaceAll('%CLINIC_NAME%', () => escapeHtml(name))
      .replaceAll('%CLINIC_PHONE%', () => escapeHtml(phone))
    res.type('text/html').send(filled)
  }
  router.get('/l/:token', page)
  router.get('/check', page)
  router.get('/', (_req, res) => res.redirect(302, '/check'))
  router.use(files)
  if (logoFile) {
    const logo = readFileSync(logoFile)
    router.get(logoPath(logoFile), (_req, res) => {
      res.set({ 'Content-Type': contentType(logoFile), 'Cache-Control': 'public, max-age=3600' }).send(logo)
    })
  }
  return router
}

/** Where the clinic's logo is served. */
export const logoPath = (logoFile: string): string => `/brand/logo${extname(logoFile).toLowerCase()}`
