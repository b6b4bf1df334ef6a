import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { addFeed, feedsOf, type OnCallFeed, revokeFeed } from '../../../core/store/oncall/feeds.ts'
import { answer, code, table } from '../../framework/answer.ts'
import { optional, word } from '../../framework/args.ts'
import { command, type Sender } from '../../framework/command.ts'
import { findRole, keepers, roleArg, staff } from './args.ts'

const keeps = (sender: Sender): boolean => sender.roles.some(r => keepers.includes(r))
const aboutWords = ({ about }: OnCallFeed): string => ('role' in about ? about.role : about.person)
const minute = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

export const oncallFeedAdd = command({
  words: ['oncall', 'feed', 'add'],
  needs: staff,
  args: { role: optional(roleArg()) },
  help: 'A secret address at which your calendar program finds your duties, or those of a role.',
  detail:
    'Whoever has the address sees the duties, so that it is given only in your own chat with me. It ends when you revoke it, and when you hold no role of the clinic any more.',
  run: async ({ tx, sender, room, publicUrl }, { role: key }) => {
    if (room.class !== 'direct')
      return refuse('own-chat', 'The address is secret; ask for it in your direct chat with me.')
    const entry = key === undefined ? undefined : await findRole(tx, key)
    if (isRefusal(entry)) return entry
    const made = await addFeed(tx, entry ? { role: entry.role.key } : { person: sender.userId }, sender.userId)
    if (isRefusal(made)) return made
    return answer(
      `Subscribe to this address in your calendar program (${entry ? entry.role.name : 'your duties'}):`,
      code(`${publicUrl}/oncall/${made.token}.ics`),
      `Whoever has it sees the duties. To end it: !oncall feed revoke ${made.id}`,
    )
  },
})

export const oncallFeedList = command({
  words: ['oncall', 'feed', 'list'],
  needs: staff,
  args: {},
  help: 'Your calendar addresses and when each was last asked; who keeps the schedules sees everybody’s.',
  views: 'oncall.view',
  run: async ({ tx, sender }) => {
    const feeds = await feedsOf(tx, keeps(sender) ? {} : { madeBy: sender.userId })
    if (feeds.length === 0) return answer('There is no calendar address.')
    return answer(
      ...table(
        ['Id', 'Duties of', 'Made (UTC)', 'By', 'Last asked (UTC)'],
        feeds.map(f => [
          f.id,
          aboutWords(f),
          minute(f.madeAt),
          f.madeBy,
          f.fetchedAt === null ? 'never' : minute(f.fetchedAt),
        ]),
      ),
    )
  },
})

export const oncallFeedRevoke = command({
  words: ['oncall', 'feed', 'revoke'],
  needs: staff,
  args: { id: word('<id>', 'fd_7k2m9qwxyz012345', text => text.toLowerCase()) },
  help: 'End a calendar address at once; who keeps the schedules may end anybody’s.',
  run: async ({ tx, sender }, { id }) => {
    const only = keeps(sender) ? {} : { maker: sender.userId }
    const done = await revokeFeed(tx, id, { by: sender.userId, ...only })
    return isRefusal(done) ? done : answer(`Done: the address ${id} (${aboutWords(done)}) shows nothing any more.`)
  },
})
