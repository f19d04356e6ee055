//! What a CUDA device can do at most, measured: products of large matrices of `f16`, and copies of its
//! memory.

use std::time::Instant;

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};

use crate::limits::Pace;

/// Rows and columns of the matrices: large enough to keep every part of a card busy.
const SIDE: usize = 8_192;

/// Bytes that are copied.
const BYTES: usize = 1 << 30;

/// Times that each is done in one measurement.
const TIMES: u32 = 4;

/// A device with something to multiply and to copy.
pub(crate) struct Card {
    device: Device,
    left: Tensor,
    right: Tensor,
    memory: Tensor,
}

impl Card {
    /// The first CUDA device, which our own encoder already runs on.
    pub(crate) fn open() -> Result<Self> {
        let device =
            Device::new_cuda(0).context("cannot open the CUDA device: is another program using it?")?;
        let noise = |rows, columns| Tensor::randn(0_f32, 1.0, (rows, columns), &device)?.to_dtype(DType::F16);
        Ok(Self {
            left: noise(SIDE, SIDE)?,
            right: noise(SIDE, SIDE)?,
            memory: Tensor::zeros(BYTES, DType::U8, &device)?,
            device,
        })
    }

    /// Operations of `f16`, and bytes read or written, a second.
    pub(crate) fn pace(&self) -> Result<Pace> {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (operations, bytes) = (2.0 * (SIDE as f64).powi(3), 2.0 * BYTES as f64);
        Ok(Pace {
            flops: operations * self.per_s(|| self.left.matmul(&self.right))?,
            bytes: bytes * self.per_s(|| self.memory.copy())?,
        })
    }

    /// How often `work` is done in a second, once it has been done before.
    fn per_s(&self, work: impl Fn() -> candle_core::Result<Tensor>) -> Result<f64> {
        drop(work()?);
        self.device.synchronize()?;
        let began = Instant::now();
        for _ in 0..TIMES {
            drop(work()?);
        }
        self.device.synchronize()?;
        Ok(f64::from(TIMES) / began.elapsed().as_secs_f64())
    }
}
