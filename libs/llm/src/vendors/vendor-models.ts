import type { LlmModelInfo } from '../contract';
import type { ModelList } from '../wire/model-list';

/** What a vendor's folder knows of its models, by the vendor's own names. */
export interface ModelTable<T extends LlmModelInfo> {
  /** The models to offer, the default first. */
  models: readonly T[];
  /** A model of the table, snapshots included; undefined for names that are not in it. */
  known(id: string): T | undefined;
  /** What a model that the table lacks is taken for. */
  unknown(id: string): T;
}

/**
 * The models of a vendor: those of its table, and any other that the account's own list names. While that list was never
 * read, every name is taken for one of them: the vendor refuses what it does not have.
 */
export class VendorModels<T extends LlmModelInfo> {
  constructor(
    private readonly table: ModelTable<T>,
    private readonly list: ModelList<T>,
  ) {}

  get default(): string {
    return this.table.models[0].id;
  }

  /** Those to offer. */
  offered(): LlmModelInfo[] {
    return this.table.models.map(publicInfo);
  }

  /**
   * One by its name; undefined where there is none of that name.
   * @param mayAsk whether the vendor can be asked for its list, as it cannot without a key
   */
  async find(id: string, mayAsk: boolean): Promise<LlmModelInfo | undefined> {
    const known = this.table.known(id);
    if (known) return publicInfo(known);
    if (!id || !mayAsk) return undefined;
    const listed = (await this.list.find(id)) ?? (this.list.known ? undefined : this.table.unknown(id));
    return listed && publicInfo(listed);
  }

  /** All that is known of a model by now; asks nobody. */
  traits(id: string): T {
    return this.table.known(id) ?? this.list.known?.find((one) => one.id === id) ?? this.table.unknown(id);
  }
}

/** The part that everybody may see. */
const publicInfo = (model: LlmModelInfo): LlmModelInfo => {
  const { id, name, capabilities, contextWindow, maxOutputTokens, price } = model;
  return { id, name, capabilities, contextWindow, maxOutputTokens, price };
};
