import { Component, type ComponentChildren } from 'preact'

type Props = {
  /** Where the page is; somewhere else it may be drawn again. */
  place: string
  /** Is told when what is inside could not be drawn. */
  broken: () => void
  /** Stands instead of it until the page is somewhere else. */
  instead: ComponentChildren
  children: ComponentChildren
}

/** Nobody is left before an empty page: a fault in drawing is told and replaced, not passed on. */
export class Boundary extends Component<Props, { broken: boolean }> {
  override state = { broken: false }
  static override getDerivedStateFromError = () => ({ broken: true })

  override componentDidCatch(error: unknown): void {
    // The kind of fault only: its text may quote what was to be drawn.
    console.error('drawing failed', this.props.place, error instanceof Error ? error.name : typeof error)
    // Not here, in the middle of a drawing: what is told may want to draw.
    queueMicrotask(() => this.props.broken())
  }

  override componentDidUpdate(before: Props): void {
    if (this.state.broken && before.place !== this.props.place) this.setState({ broken: false })
  }

  override render = () => (this.state.broken ? this.props.instead : this.props.children)
}
