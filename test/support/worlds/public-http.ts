import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import type { PublicDeps } from '../../../appservice/http/deps.ts'
import { publicApp } from '../../../appservice/http/public-app.ts'
import { listen } from '../../../core/http/listen.ts'
import { refusalLog } from '../../../core/http/refusals.ts'
import { redactText } from '../../../core/log.ts'

export const publicUrl = 'http://localhost:8080'

export type PublicServer = {
  url: string
  deps: PublicDeps
  /** Everything that was logged, as the real log writes it. */
  logged(): string
  browser(): Browser
  stop(): Promise<void>
}

type Call = { body?: unknown; raw?: BodyInit; headers?: Record<string, string>; bearer?: string }

/** What a browser does with cookies and origins, without the browser. */
export type Browser = {
  cookies: Map<string, string>
  call(method: string, path: string, more?: Call): Promise<Response>
  post(path: string, body: unknown, bearer?: string): Promise<Response>
}

/** A visitor of the server at `url`, whose page has the address `origin`. */
export const httpBrowser = (url: string, origin: string): Browser => {
  const cookies = new Map<string, string>()
  const call: Browser['call'] = async (method, path, { body, raw, headers = {}, bearer } = {}) => {
    const answer = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(method === 'GET' ? {} : { origin }),
        ...(cookies.size > 0 ? { cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') } : {}),
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value) cookies.set(name, value)
      else cookies.delete(name)
    }
    return answer
  }
  return { cookies, call, post: (path, body, bearer) => call('POST', path, { body, bearer }) }
}

const page = '<!doctype html><title>%CLINIC_NAME%</title><a href="tel:%CLINIC_PHONE%">%CLINIC_PHONE%</a>'

/** A page folder as the build writes it, with one packed asset. */
export const pageFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-page-'))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), page)
  writeFileSync(join(folder, 'assets', 'main-abc.js'), 'export {}')
  writeFileSync(join(folder, 'assets', 'main-abc.js.gz'), gzipSync('export {}'))
  return folder
}

/** The public application on a free port, with a small page in place of the built one and limits that a test may set. */
export const publicServer = async (
  deps: Omit<PublicDeps, 'log' | 'refusals' | 'publicUrl' | 'pageFolder' | 'embedded'> & Partial<PublicDeps>,
): Promise<PublicServer> => {
  const folder = pageFolder()
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: line => void lines.push(redactText(line)) })
  const refusals = refusalLog({ store: deps.store, log })
  const all: PublicDeps = { publicUrl, pageFolder: folder, embedded: true, neutralMs: 0, log, refusals, ...deps }
  const listener = await listen(publicApp(all))
  return {
    url: listener.url,
    deps: all,
    logged: () => lines.join(''),
    browser: () => httpBrowser(listener.url, publicUrl),
    stop: async () => {
      await listener.stop()
      await refusals.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
