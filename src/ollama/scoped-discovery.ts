import type { OllamaDiscovery } from './discovery.ts';

/** A discovery as one of several users has it. */
export type ScopedDiscovery = {
  readonly discovery: OllamaDiscovery;
  /** Takes back everything that this user listens for. */
  end(): void;
};

/** Lends a discovery to a user that ends before it. */
export function scopeDiscovery(shared: OllamaDiscovery): ScopedDiscovery {
  const undos = new Set<() => void>();
  return {
    discovery: {
      url: shared.url,
      start: () => shared.start(),
      stop: () => shared.stop(),
      refresh: () => shared.refresh(),
      state: () => shared.state(),
      models: () => shared.models(),
      model: (name) => shared.model(name),
      wasSeen: (name) => shared.wasSeen(name),
      isWarm: (name, numCtx) => shared.isWarm(name, numCtx),
      running: () => shared.running(),
      markWarm: (name, numCtx) => shared.markWarm(name, numCtx),
      onChange(listener) {
        const undo = shared.onChange(listener);
        undos.add(undo);
        return () => {
          undos.delete(undo);
          undo();
        };
      },
    },
    end() {
      for (const undo of undos) undo();
      undos.clear();
    },
  };
}
