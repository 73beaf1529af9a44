package moe.backend.cuda;

import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;

/// JCuda's objects with their addresses to be seen.
final class JCudaObjects {
  private JCudaObjects() {}

  static final class Context extends CUcontext implements Driver.Handle {
    @Override
    public long address() {
      return getNativePointer();
    }
  }

  static final class Module extends CUmodule implements Driver.Handle {
    @Override
    public long address() {
      return getNativePointer();
    }
  }

  static final class Function extends CUfunction implements Driver.Handle {
    @Override
    public long address() {
      return getNativePointer();
    }
  }

  static final class Stream extends CUstream implements Driver.Handle {
    @Override
    public long address() {
      return getNativePointer();
    }
  }

  static final class Event extends CUevent implements Driver.Handle {
    @Override
    public long address() {
      return getNativePointer();
    }
  }

  static final class Allocation extends CUdeviceptr implements Driver.Handle {
    @Override
    public long address() {
      return getNativePointer();
    }
  }
}
