import { hours, minutes } from '../../core/domain/clock.ts'
import { codeLifeMs, factorsLeft } from '../../core/domain/factor.ts'
import { closedBy, mayRenew } from '../../core/domain/link.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import { newSmsCode, passedFactors } from '../../core/store/links/factors.ts'
import { createLink, type FoundLink, findLink, withdrawLinks } from '../../core/store/links/links.ts'
import { type Limit, takeToken } from '../../core/store/links/rate-limits.ts'
import { advanceNotices } from '../../core/store/patients/notices.ts'
import { stopNumber } from '../../core/store/texts/stopped-numbers.ts'
import { numberOfLink, queueText } from '../../core/store/texts/texts.ts'
import { type Tx, transact } from '../../core/store/tx.ts'
import { anonymous, type Browser, type LinkDeps, originOf } from './deps.ts'

type Wish = {
  limit: Limit
  name: string
  /** A code: why nothing happened. */
  run(tx: Tx, link: FoundLink): Promise<string | undefined>
  action: 'link.renew' | 'link.not_me' | 'number.stop' | 'text.queue'
}

/**
 * What the holder of a token may ask for without proof. Nothing is answered, whatever the token is: neither that it exists nor that anything was sent.
 * Every wish is audited, granted or not.
 */
const grant = async (deps: LinkDeps, token: string, browser: Browser, wish: Wish): Promise<void> => {
  const person = await transact(deps.store, async tx => (await findLink(tx, token))?.person.id)
  const allowed =
    person !== undefined &&
    (await takeToken(deps.store.db, `${wish.name}:${person}`, wish.limit, deps.store.clock.now()))
  await transact(deps.store, async tx => {
    const link = person === undefined ? null : await findLink(tx, token)
    const refusal = !link ? 'unknown' : !allowed ? 'rate' : await wish.run(tx, link)
    await tx.audit({
      actor: anonymous,
      action: wish.action,
      object: { kind: 'link', id: link?.id ?? 'unknown' },
      outcome: refusal ? 'refused' : 'done',
      ...(link ? { patient: link.patientId } : {}),
      origin: originOf(browser),
      ...(refusal ? { reason: refusal } : {}),
    })
  })
}

/** "Text me a new link": only to the number on file, also from a link that is used or expired. */
export const requestNewLink = (deps: LinkDeps, settings: Settings, token: string, browser: Browser): Promise<void> =>
  grant(deps, token, browser, {
    name: 'new-link',
    limit: deps.limits.newLink,
    action: 'link.renew',
    run: async (tx, link) => {
      if (!mayRenew(link)) return 'not-renewable'
      if (link.person.lockedAt !== null) return 'locked'
      const fresh = await createLink(tx, {
        person: link.person.id,
        patient: link.patientId,
        reason: link.reason,
        publicUrl: deps.publicUrl,
        lifeMs: hours(settings['link.life_hours']),
      })
      const queued = await queueText(tx, {
        person: link.person.id,
        template: 'new-link',
        lang: link.person.lang,
        vars: {},
        link: fresh,
        class: 'system',
      })
      return isRefusal(queued) ? queued.code : undefined
    },
  })

/** The six-digit code, for a browser that has proved everything that is asked before it. */
export const requestCode = (deps: LinkDeps, settings: Settings, token: string, browser: Browser): Promise<void> =>
  grant(deps, token, browser, {
    name: 'code',
    limit: deps.limits.code,
    action: 'text.queue',
    run: async (tx, link) => {
      if (closedBy(link, tx.now)) return 'closed'
      if (link.person.lockedAt !== null) return 'locked'
      const passed = browser.binding ? await passedFactors(tx, link.id, browser.binding) : []
      const next = factorsLeft(settings['link.factors'], { hasPin: link.person.pin !== null }, passed)[0]
      if (next !== 'sms_code') return 'not-asked'
      const queued = await queueText(tx, {
        person: link.person.id,
        template: 'sms-code',
        lang: link.person.lang,
        vars: { code: await newSmsCode(tx, link.person.id), minutes: codeLifeMs / minutes(1) },
        class: 'system',
      })
      return isRefusal(queued) ? queued.code : undefined
    },
  })

/** "This isn't me": every link of the person closes and the care team is told to check the number. */
export const reportNotMe = (deps: LinkDeps, token: string, browser: Browser): Promise<void> =>
  grant(deps, token, browser, {
    name: 'not-me',
    limit: deps.limits.report,
    action: 'link.not_me',
    run: async (tx, link) => {
      if (link.withdrawnAt !== null) return 'withdrawn'
      await withdrawLinks(tx, link.person.id, 'not_me')
      await advanceNotices(tx, { person: link.person.id }, { kind: 'failed', failure: 'not_me' })
      await tx.enqueue({
        queue: 'bridge',
        kind: 'care.tell',
        key: `not-me:${link.id}`,
        payload: { patientId: link.patientId, what: 'not_me' },
        patient: link.patientId,
      })
      return undefined
    },
  })

/** "Stop texts to this number", as if the telephone that got this link had answered STOP: after a change of number that is not the number on file. */
export const requestStop = (deps: LinkDeps, token: string, browser: Browser): Promise<void> =>
  grant(deps, token, browser, {
    name: 'stop',
    limit: deps.limits.report,
    action: 'number.stop',
    run: async (tx, link) => {
      const texted = await numberOfLink(tx, link.id)
      if (texted === null && link.withdrawnAt !== null) return 'withdrawn'
      await stopNumber(tx, texted ?? link.person.phoneLookup, anonymous)
      return undefined
    },
  })
