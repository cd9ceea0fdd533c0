package org.sonatype.appcontext.internal;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A map that also shows what is in its parent. Nexus 2.5 has a class of this name whose get()
 * calls containsKey(), which calls get() since Java 8, without end: this one goes before it on
 * the class path.
 */
public class HierarchicalMap<K, V> extends ConcurrentHashMap<K, V> implements Map<K, V> {
  private static final long serialVersionUID = 1L;

  private final transient HierarchicalMap<K, V> parent;

  public HierarchicalMap() {
    this(null);
  }

  public HierarchicalMap(final HierarchicalMap<K, V> parent) {
    this.parent = checkParentContext(parent);
  }

  public HierarchicalMap<K, V> getParent() {
    return parent;
  }

  protected HierarchicalMap<K, V> checkParentContext(final HierarchicalMap<K, V> candidate) {
    HierarchicalMap<K, V> above = candidate;
    while (above != null) {
      if (above == this) {
        throw new IllegalArgumentException("A context is not above itself.");
      }
      above = above.getParent();
    }
    return candidate;
  }

  @Override
  public V get(final Object key) {
    return get(key, true);
  }

  public V get(final Object key, final boolean inherited) {
    final V own = super.get(key);
    if (own == null && inherited && parent != null) {
      return parent.get(key);
    }
    return own;
  }

  @Override
  public boolean containsKey(final Object key) {
    return containsKey(key, true);
  }

  public boolean containsKey(final Object key, final boolean inherited) {
    return get(key, inherited) != null;
  }

  @Override
  public boolean containsValue(final Object value) {
    return containsValue(value, true);
  }

  public boolean containsValue(final Object value, final boolean inherited) {
    if (super.containsValue(value)) {
      return true;
    }
    return inherited && parent != null && parent.containsValue(value);
  }

  public Map<K, V> flatten() {
    final Map<K, V> all = parent == null ? new HashMap<>() : parent.flatten();
    all.putAll(this);
    return all;
  }
}
