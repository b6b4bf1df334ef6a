import type { Swap } from '../../../core/domain/oncall/schedule/swap.ts'
import { spanWords } from '../../../core/domain/oncall/words/duty-words.ts'
import { showTime } from '../../../core/domain/oncall/words/time-words.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { worldZones as zones } from '../../../core/oncall/zones.ts'
import { type OnCallEntry, onCallRole } from '../../../core/store/oncall/read.ts'
import { addSwap, answerOpenSwap, dutyAt, openSwaps } from '../../../core/store/oncall/swaps.ts'
import { type Answer, answer, type Block, code, fields, list } from '../../framework/answer.ts'
import { named, optional, userId, word } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { say } from '../../framework/say.ts'
import { findRole, roleArg, staff, timeIn, words } from './args.ts'

const swapId = () => word('<swap>', 'sw_7k2m9qwxyz012345', text => text.toLowerCase())

/** Both duties, with who would have them. */
const swapFields = (swap: Pick<Swap, 'gives' | 'takes' | 'partner'>, entry: OnCallEntry): Block => {
  const { zone } = entry.schedule
  return fields(
    ['On call for', `${entry.role.name} (${zone})`],
    [`From ${swap.gives.person} to ${swap.partner}`, spanWords(swap.gives, zone, zones)],
    ...(swap.takes
      ? [[`From ${swap.partner} to ${swap.gives.person}`, spanWords(swap.takes, zone, zones)] as const]
      : []),
  )
}

export const oncallSwap = command({
  words: ['oncall', 'swap'],
  needs: staff,
  args: {
    role: roleArg(),
    partner: userId(),
    give: named('give', words('time', 'friday 18:00')),
    take: optional(named('take', words('time', '2030-12-04 08:00'))),
  },
  help: 'Ask a colleague to take a duty of yours, and to give you one of theirs for it; nothing changes before both agree.',
  detail:
    'A time names the whole duty that it falls into, or the next one after it. Your colleague is asked in their own chat with me. It lapses when the first of the duties begins.',
  run: async (context, { role: key, partner, give, take }) => {
    const { tx, sender } = context
    const entry = await findRole(tx, key)
    if (isRefusal(entry)) return entry
    const { zone } = entry.schedule
    const duty = (who: string, time: string) => {
      const when = timeIn(time, zone, tx.now)
      if (isRefusal(when)) return when
      return dutyAt(entry, who, when) ?? refuse('not-on-duty', `${who} has no duty for ${key} at or after ${time}.`)
    }
    const gives = duty(sender.userId, give)
    if (isRefusal(gives)) return gives
    const takes = take === undefined ? undefined : duty(partner, take)
    if (isRefusal(takes)) return takes
    const swap = await addSwap(tx, key, { gives, partner, proposedBy: sender.userId, ...(takes ? { takes } : {}) })
    if (isRefusal(swap)) return swap
    const question = answer(
      `${sender.userId} asks you to swap duties:`,
      swapFields(swap, entry),
      'If you agree, write here:',
      code(`!oncall swap accept ${swap.id}`),
      'If not:',
      code(`!oncall swap decline ${swap.id}`),
    )
    await say(tx, `swap-asked:${swap.id}`, { user: partner }, question)
    return answer(
      swapFields(swap, entry),
      `Nothing is changed yet. I have asked ${partner}; it lapses at ${showTime(Math.min(swap.gives.from, swap.takes?.from ?? swap.gives.from), zone, zones)}. To withdraw it:`,
      code(`!oncall swap decline ${swap.id}`),
    )
  },
})

const outcome: Record<Swap['state'], string> = {
  proposed: 'still waits for the other',
  'in-force': 'is in force: both have agreed',
  declined: 'was declined; nothing is changed',
  withdrawn: 'was withdrawn; nothing is changed',
  lapsed: 'has lapsed; nothing is changed',
}

/** Takes somebody's word, which they give in their own chat, so that nobody else reads or gives it for them; the other of the two is told. */
const settle = async (context: CommandContext, id: string, consents: boolean): Promise<Answer | Refusal> => {
  const { tx, sender, room } = context
  if (room.class !== 'direct')
    return refuse('own-chat', 'A swap is agreed to or declined in your own direct chat with me.')
  const done = await answerOpenSwap(tx, id, { by: sender.userId, consents })
  if (isRefusal(done)) return done
  const { swap, entry, because } = done
  const others = [...new Set([swap.gives.person, swap.partner, swap.proposedBy])].filter(p => p !== sender.userId)
  const words = answer(
    `The swap ${swap.id} ${outcome[swap.state]}.${because ? ` ${because.sentence}` : ''}`,
    swapFields(swap, entry),
  )
  for (const other of others) await say(tx, `swap-settled:${swap.id}:${swap.state}:${other}`, { user: other }, words)
  if (because) return refuse('lapsed', `The swap has lapsed, and nothing is changed: ${because.sentence}`)
  return swap.state === 'lapsed' ? refuse('lapsed', 'The swap has lapsed: its first duty has begun.') : words
}

export const oncallSwapAccept = command({
  words: ['oncall', 'swap', 'accept'],
  needs: staff,
  args: { swap: swapId() },
  help: 'Agree to a swap that you were asked for; it is in force at once.',
  run: (context, { swap }) => settle(context, swap, true),
})

export const oncallSwapDecline = command({
  words: ['oncall', 'swap', 'decline'],
  needs: staff,
  args: { swap: swapId() },
  help: 'Decline a swap that you were asked for, or withdraw one that you asked for.',
  run: (context, { swap }) => settle(context, swap, false),
})

export const oncallSwapList = command({
  words: ['oncall', 'swap', 'list'],
  needs: staff,
  args: {},
  help: 'Swaps that wait for your word or that you asked for.',
  views: 'oncall.view',
  run: async ({ tx, sender }) => {
    const open = await openSwaps(tx, sender.userId)
    if (open.length === 0) return answer('No swap waits for you.')
    const lines: string[] = []
    for (const swap of open) {
      const entry = await onCallRole(tx, swap.schedule)
      const zone = entry?.schedule.zone ?? 'UTC'
      const back = swap.takes ? `, for ${spanWords(swap.takes, zone, zones)}` : ''
      const waits = swap.proposedBy === sender.userId ? 'asked by you' : 'waits for you'
      lines.push(
        `${swap.id}, ${waits}: ${swap.gives.person} → ${swap.partner}, ${spanWords(swap.gives, zone, zones)}${back}`,
      )
    }
    return answer(list(lines))
  },
})
