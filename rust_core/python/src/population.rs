//! `Population` and `replicate` with explicit rates.

use super::convert::{from_json, table, u32_bytes, u32_values, u64_bytes, u64_values};
use super::long_run;
use crate::error::raised;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tumor_abm_core::cancel::NEVER;
use tumor_abm_core::error::Error;
use tumor_abm_core::law::CloneRecord;
use tumor_abm_core::table::{Column, Table, Texts};
use tumor_abm_core::tumour::choice::Choice;
use tumor_abm_core::tumour::engine::Engine;
use tumor_abm_core::tumour::lineage::{ALIVE, Genealogy, NO_NODE, Node, Tip, Tree};
use tumor_abm_core::tumour::population::{self, TypeRates};
use tumor_abm_core::tumour::replicate::{Design, Outcome};

/// Cells or clones times steps that are over before anybody could want to interrupt them.
const SHORT: u64 = 200_000;

/// Cells of several types under explicit rates.
#[pyclass(module = "tumor_abm._core")]
pub(crate) struct Population {
    inner: population::Population,
}

#[pymethods]
impl Population {
    #[new]
    #[pyo3(signature = (rates_json, initial, dt, engine_json, seed, keep_extinct))]
    fn new(
        py: Python<'_>,
        rates_json: &str,
        initial: Vec<u64>,
        dt: f64,
        engine_json: &str,
        seed: u64,
        keep_extinct: bool,
    ) -> PyResult<Self> {
        let rates: TypeRates = from_json(rates_json)?;
        let engine: Choice = from_json(engine_json)?;
        let mut inner = long_run::alone(py, |cancel| {
            population::Population::new(rates, &initial, dt, &engine, seed, (0, 0), cancel)
        })?;
        if keep_extinct {
            inner.keep_extinct();
        }
        Ok(Self { inner })
    }

    fn step(&mut self, py: Python<'_>, steps: u64) -> PyResult<()> {
        let inner = &mut self.inner;
        if inner.items().max(1).saturating_mul(steps) < SHORT {
            py.detach(|| inner.advance(steps, &NEVER)).map_err(raised)?;
            return long_run::check_interrupts(py);
        }
        long_run::alone(py, |cancel| inner.advance(steps, cancel))
    }

    /// A copy of the whole state, random stream included; with a seed, a stream of its own.
    #[pyo3(signature = (seed=None))]
    fn fork(&self, py: Python<'_>, seed: Option<u64>) -> Self {
        let mut inner = py.detach(|| self.inner.clone());
        if let Some(seed) = seed {
            inner.reseed(seed);
        }
        Self { inner }
    }

    /// The whole state as bytes.
    fn save<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let inner = &self.inner;
        Ok(PyBytes::new(py, &py.detach(|| inner.save()).map_err(raised)?))
    }

    /// The population that `save` wrote.
    #[staticmethod]
    fn load(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: py.detach(|| population::Population::load(bytes)).map_err(raised)? })
    }

    fn set_rates(&mut self, rates_json: &str) -> PyResult<()> {
        self.inner.set_rates(from_json(rates_json)?).map_err(raised)
    }

    /// Cells leave: how many of each living clone where cells are counted, else of each cell, as `u64`.
    fn remove(&mut self, gone: &[u8]) -> PyResult<()> {
        self.inner.remove(&u64_values(gone).collect::<Vec<u64>>()).map_err(raised)
    }

    /// Every living cell becomes the first of a clone of its own.
    fn label(&mut self) -> PyResult<()> {
        self.inner.label().map_err(raised)
    }

    /// Remember cells, by their rows in `cells` as `u32`.
    fn remember(&mut self, rows: &[u8]) -> PyResult<()> {
        self.inner.remember(&u32_values(rows).collect::<Vec<u32>>()).map_err(raised)
    }

    #[getter]
    fn day(&self) -> f64 {
        self.inner.day()
    }

    #[getter]
    fn divisions(&self) -> u64 {
        self.inner.divisions()
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        u64_bytes(py, &self.inner.counts())
    }

    #[getter]
    fn clones<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        table(py, self.clone_table(&self.inner.records()))
    }

    /// Clones that died out, as `clones`, and when; none unless they are remembered.
    #[getter]
    fn extinct<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let extinct = self.inner.extinct();
        let records: Vec<CloneRecord> = extinct.iter().map(|clone| clone.record).collect();
        let mut out = self.clone_table(&records);
        let died = extinct.iter().map(|clone| self.inner.grid().day(clone.died_step));
        out.put("died_day", Column::F64(died.collect()));
        table(py, out)
    }

    /// Bytes that the engine holds for its cells and their genealogy, if it says so.
    #[getter]
    fn bytes(&self) -> Option<usize> {
        self.inner.lattice().map(Engine::bytes)
    }

    /// The nodes of the genealogy, for every cell in the order of `cells` its node, and the nodes of remembered
    /// cells; `None` if the genealogy was not recorded.
    fn genealogy<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Recorded<'py>>> {
        let Some((genealogy, tips)) = self.inner.genealogy().map_err(raised)? else { return Ok(None) };
        let living: Vec<u32> = tips.iter().map(|tip| tip.node).collect();
        let descendants = genealogy.descendants(living.iter().copied());
        let nodes = node_table(genealogy.nodes().iter(), descendants);
        Ok(Some((table(py, nodes)?, u32_bytes(py, &living), u32_bytes(py, genealogy.remembered()))))
    }

    /// Every living cell, or `None` if the engine holds none.
    #[getter]
    fn cells<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut out = Table::default();
        if let Some(lattice) = self.inner.lattice() {
            let located: Vec<_> = lattice.cells().collect();
            out.put("clone", Column::U64(located.iter().map(|cell| cell.clone).collect()));
            out.put("type", Column::U32(located.iter().map(|cell| cell.kind).collect()));
            for (axis, name) in
                ["x", "y", "z"].into_iter().enumerate().take(lattice.space().dimensions as usize)
            {
                out.put(name, Column::I32(located.iter().map(|cell| cell.place[axis]).collect()));
            }
            let space = lattice.space();
            if space.nutrient.is_some() || space.drug.is_some() {
                let exposures: Vec<_> =
                    located.iter().map(|cell| lattice.exposures()[cell.layer as usize]).collect();
                out.put("nutrient", Column::F64(exposures.iter().map(|e| e.nutrient).collect()));
                out.put("drug", Column::F64(exposures.iter().map(|e| e.drug).collect()));
            }
            return table(py, out).map(Some);
        }
        let Some(cells) = self.inner.cells() else { return Ok(None) };
        out.put("clone", Column::U64(cells.individuals().map(|cell| cell.clone).collect()));
        out.put("type", Column::U32(cells.individuals().map(|cell| cell.kind).collect()));
        out.put("trait", Column::F64(cells.individuals().map(|cell| f64::from(cell.value)).collect()));
        table(py, out).map(Some)
    }
}

fn node_table<'a>(nodes: impl Iterator<Item = &'a Node> + Clone, descendants: Vec<u32>) -> Table {
    let mut out = Table::default();
    let known = |number: u32, unknown: u32| (number != unknown).then_some(number);
    out.put("parent", Column::MaybeU32(nodes.clone().map(|node| known(node.parent, NO_NODE)).collect()));
    out.put("step", Column::MaybeU32(nodes.clone().map(|node| known(node.step, ALIVE)).collect()));
    out.put("divisions", Column::U32(nodes.map(|node| node.divisions).collect()));
    out.put("descendants", Column::U32(descendants));
    out
}

/// How some cells descend from each other, given the nodes of a genealogy as buffers of `u32` and
/// the nodes of these cells: the nodes that are left, where `step` is their former number, and
/// those of the cells among them.
#[pyfunction]
#[pyo3(signature = (parent, divisions, cells))]
pub(crate) fn subtree<'py>(
    py: Python<'py>,
    parent: &[u8],
    divisions: &[u8],
    cells: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (genealogy, tips) = read_tree(parent, Some(divisions), cells)?;
    let tree = py.detach(|| genealogy.tree(tips)).map_err(raised)?;
    let tips: Vec<u32> = tree.tips.iter().map(|tip| tip.node).collect();
    Ok((table(py, node_table(tree.nodes.iter(), tree.descendants))?, u32_bytes(py, &tips)))
}

/// Nodes, those of living cells, and those of remembered ones.
type Recorded<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Outcomes; and, if they were asked for, the nodes and the cells of the trees.
type Replicates<'py> = (Bound<'py, PyBytes>, Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>);

impl Population {
    fn clone_table(&self, records: &[CloneRecord]) -> Table {
        let grid = self.inner.grid();
        let mut out = Table::default();
        out.put("clone", Column::U64(records.iter().map(|r| r.id).collect()));
        out.put("parent", Column::MaybeU64(records.iter().map(|r| r.parent).collect()));
        out.put("type", Column::U32(records.iter().map(|r| r.kind).collect()));
        out.put("born_day", Column::F64(records.iter().map(|r| grid.day(r.born_step)).collect()));
        out.put("cells", Column::U64(records.iter().map(|r| r.cells).collect()));
        out.put("origins", Column::U64(records.iter().map(|r| r.origins).collect()));
        out.put("peak", Column::U64(records.iter().map(|r| r.peak).collect()));
        if let Some(lattice) = self.inner.lattice() {
            let axes = lattice.space().dimensions as usize;
            for (axis, name) in ["x", "y", "z"].into_iter().enumerate().take(axes) {
                let place = |r: &CloneRecord| r.place.map_or(0, |place| place[axis]);
                out.put(name, Column::I32(records.iter().map(place).collect()));
            }
        }
        out
    }
}

/// Living cells at or below every node of a genealogy, given as buffers of `u32`.
#[pyfunction]
pub(crate) fn descendants<'py>(
    py: Python<'py>,
    parent: &[u8],
    cells: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (genealogy, tips) = read_tree(parent, None, cells)?;
    let below = py.detach(|| genealogy.descendants(tips.iter().map(|tip| tip.node)));
    Ok(u32_bytes(py, &below))
}

/// A genealogy, and cells of it, from buffers; `step` is the number of a node.
fn read_tree(parent: &[u8], divisions: Option<&[u8]>, cells: &[u8]) -> PyResult<(Genealogy, Vec<Tip>)> {
    let mut divisions = divisions.map(u32_values);
    let mut next = || divisions.as_mut().and_then(Iterator::next).unwrap_or(0);
    let nodes = u32_values(parent).zip(0..);
    let nodes = nodes.map(|(parent, step)| Node { parent, step, divisions: next() }).collect();
    let genealogy = Genealogy::from_nodes(nodes).map_err(raised)?;
    let tips: Vec<Tip> = u32_values(cells).map(|node| Tip { node, clone: 0, kind: 0 }).collect();
    match tips.iter().find(|tip| tip.node as usize >= genealogy.nodes().len()) {
        Some(tip) => {
            Err(raised(Error::refused("node", tip.node, format!("less than {}", genealogy.nodes().len()))))
        }
        None => Ok((genealogy, tips)),
    }
}

/// Run the replicates of a design given as JSON.
#[pyfunction]
#[pyo3(signature = (design_json, replicates, threads, all_phases, progress=None))]
pub(crate) fn replicate<'py>(
    py: Python<'py>,
    design_json: &str,
    replicates: u64,
    threads: usize,
    all_phases: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Replicates<'py>> {
    let design: Design = from_json(design_json)?;
    let types = design.initial.len();
    let outcomes =
        long_run::run(py, threads, progress.as_ref(), |cancel, done| design.run(replicates, cancel, done))?;
    let trees = match design.trees {
        Some(_) => Some((table(py, trees_nodes(&outcomes))?, table(py, trees_cells(&outcomes))?)),
        None => None,
    };
    Ok((table(py, outcome_table(&outcomes, types, all_phases))?, trees))
}

/// A value for every item of the trees of all replicates.
fn of_trees<'a, T: 'a, V>(
    outcomes: &'a [Outcome],
    items: impl Fn(&'a Tree) -> &'a [T],
    value: impl Fn(u64, &'a T) -> V,
) -> Vec<V> {
    let trees = outcomes.iter().filter_map(|o| Some((o.replicate, o.tree.as_ref()?)));
    trees
        .flat_map(|(replicate, tree)| items(tree).iter().map(move |item| (replicate, item)))
        .map(|(replicate, item)| value(replicate, item))
        .collect()
}

fn trees_nodes(outcomes: &[Outcome]) -> Table {
    let nodes = outcomes.iter().filter_map(|o| o.tree.as_ref()).flat_map(|tree| &tree.nodes);
    let mut out = node_table(nodes, of_trees(outcomes, |tree| &tree.descendants, |_, &below| below));
    out.put("replicate", Column::U64(of_trees(outcomes, |tree| &tree.nodes, |replicate, _| replicate)));
    out
}

fn trees_cells(outcomes: &[Outcome]) -> Table {
    let mut out = Table::default();
    out.put("replicate", Column::U64(of_trees(outcomes, |tree| &tree.tips, |replicate, _| replicate)));
    out.put("node", Column::U32(of_trees(outcomes, |tree| &tree.tips, |_, tip| tip.node)));
    out.put("clone", Column::U64(of_trees(outcomes, |tree| &tree.tips, |_, tip| tip.clone)));
    out.put("type", Column::U32(of_trees(outcomes, |tree| &tree.tips, |_, tip| tip.kind)));
    out
}

fn outcome_table(outcomes: &[Outcome], types: usize, all_phases: bool) -> Table {
    let is_last = |i: usize| outcomes.get(i + 1).is_none_or(|next| next.replicate != outcomes[i].replicate);
    let rows: Vec<&Outcome> =
        outcomes.iter().enumerate().filter(|(i, _)| all_phases || is_last(*i)).map(|(_, o)| o).collect();
    let mut stopped_by = Texts::default();
    for row in &rows {
        stopped_by.push(&row.stopped_by.name());
    }
    let mut out = Table::default();
    out.put("replicate", Column::U64(rows.iter().map(|o| o.replicate).collect()));
    out.put("phase", Column::U32(rows.iter().map(|o| o.phase).collect()));
    out.put("stopped_by", Column::Text(stopped_by));
    out.put("day", Column::F64(rows.iter().map(|o| o.day).collect()));
    out.put("divisions", Column::U64(rows.iter().map(|o| o.divisions).collect()));
    out.put("attempts", Column::U64(rows.iter().map(|o| o.attempts).collect()));
    for kind in 0..types {
        out.put(format!("n_{kind}"), Column::U64(rows.iter().map(|o| o.counts[kind]).collect()));
    }
    for kind in 0..types {
        out.put(format!("clones_{kind}"), Column::U64(rows.iter().map(|o| o.clones[kind]).collect()));
    }
    out
}
